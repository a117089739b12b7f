"""The drill: the same flows, approvals and clocks against a simulated world.

All imitations are here and in the tests. Product code never asks whether it is in a drill.
"""

__all__ = ["run"]
