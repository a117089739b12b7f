"""Looking after runs, unsettled effects and the runbook itself."""
