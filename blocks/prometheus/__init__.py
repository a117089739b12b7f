"""Prometheus: the error rate and its history, through one or more servers."""

__all__ = ["metrics"]
