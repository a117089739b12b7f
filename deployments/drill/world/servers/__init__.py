"""What the imitated systems share: servers, front doors, records and rate limits."""
