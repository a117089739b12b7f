"""A connection to an API server: credentials, deadlines, errors and rights."""
