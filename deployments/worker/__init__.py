"""The worker: warm processes for the flow runs."""
