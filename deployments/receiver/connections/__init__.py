"""Connections to the receiver: how many, how long and how large."""

__all__ = ["body", "connections", "few_lines", "local_socket", "places", "server"]
