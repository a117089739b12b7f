"""What the imitated systems share: servers, front doors, records and rate limits."""

__all__ = ["answers", "door", "pacing", "record", "wire"]
