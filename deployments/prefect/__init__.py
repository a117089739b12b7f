"""Our own Prefect server, and what is written into it."""
