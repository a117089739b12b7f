"""Care for runs, effects in doubt and the runbook itself."""

__all__ = ["due", "going_on", "resume", "runs", "self_watch", "unrouted", "watchdog"]
