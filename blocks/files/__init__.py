"""Files of the runbook that only their owner can read."""
