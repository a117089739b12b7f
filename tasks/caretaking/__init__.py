"""Looking after runs, unsettled effects and the runbook itself."""

__all__ = ["due", "resume", "runs", "self_watch", "watchdog"]
