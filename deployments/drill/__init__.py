"""The drill: the same flows, approvals and clocks against a simulated world.

Everything that only pretends lives here and under the tests; product code never asks whether it
is in a drill.
"""

__all__ = ["run"]
