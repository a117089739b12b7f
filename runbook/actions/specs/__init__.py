"""The actions, a file for each or for a pair that belongs together; the folder is the catalogue.

A file is found by being here: see `runbook.actions.catalogue`. It imports no module that itself
names actions.
"""
