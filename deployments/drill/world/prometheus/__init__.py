"""Prometheus in the drill: the real program, or an imitation."""
