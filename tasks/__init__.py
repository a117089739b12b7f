"""The steps of the runbook as Prefect tasks, a file per step.

The rules that they follow are in `runbook`, the protocols that they speak in `blocks`.
"""
