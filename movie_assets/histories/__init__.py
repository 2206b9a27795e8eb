"""People's watch histories: the files of other services, matching with the catalogue, and the import."""
