"""Files of the runbook that only their owner can read."""

__all__ = ["evidence_folder", "owners", "private_files"]
