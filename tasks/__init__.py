"""The steps of the runbook, plain functions, a file per step. `shown.py` makes Prefect tasks of them.

The rules that they follow are in `runbook`, the protocols that they speak in `blocks`.
"""
