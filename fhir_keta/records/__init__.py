"""What comes in: files, folders, NDJSON, Bundles and standard input as records with a place."""
