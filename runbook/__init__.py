"""The runbook itself: what it knows, decides and says.

Pure: no Prefect, no I/O, no clock, no environment. Time, ids and randomness are arguments,
so that every rule can be read, tested and replayed on its own.
"""
