"""The imitated controllers."""
