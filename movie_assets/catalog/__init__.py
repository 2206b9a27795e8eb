"""From the export of ids to the details of the accepted movies."""
