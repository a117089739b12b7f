"""The console script `runbook`."""

from deployments.cli.app import main

__all__ = ["main"]
