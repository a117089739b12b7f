"""Connections to the receiver: how many, how long and how large."""
