"""Looking after runs, unsettled effects and the runbook itself."""

__all__ = ["due", "going_on", "resume", "runs", "self_watch", "unrouted", "watchdog"]
