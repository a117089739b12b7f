"""How the runbook looks after its own runs, its store and itself."""

__all__ = ["runs", "self_watch", "store_trouble", "watchdog"]
