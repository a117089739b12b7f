"""One Prefect block per outside system: described settings, and the client that speaks its protocol."""
