"""Processes of ours: how they start, print, log and end."""
