"""`runbook doctor`: what it checks."""
