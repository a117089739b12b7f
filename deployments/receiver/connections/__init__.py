"""Connections to the receiver: how many, how long and how large."""

__all__ = ["body", "connections", "door", "few_lines", "local_socket"]
