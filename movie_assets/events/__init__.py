"""What changed in the catalogue, in order: kept for readers, checked against the catalogue, and posted to webhooks."""
