"""How the runbook looks after its own runs, its store and itself."""
