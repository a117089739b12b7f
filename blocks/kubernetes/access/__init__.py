"""A connection to an API server: credentials, deadlines, errors and rights."""

__all__ = ["api", "connection", "credentials", "errors", "patience", "permissions"]
