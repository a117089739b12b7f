"""Quick Triage, the decision and the watch, as tasks."""
