"""Prometheus in the drill: the real program, or an imitation."""

__all__ = ["metrics", "partial_metrics", "prometheus"]
