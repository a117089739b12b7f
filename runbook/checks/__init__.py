"""The checks of Quick Triage: what was read, how it is judged, and what counts as a recovery."""
