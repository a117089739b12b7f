"""Our own Prefect server, and what is written into it."""

__all__ = ["access", "configure", "definitions", "patience", "server", "wake", "work_pool"]
