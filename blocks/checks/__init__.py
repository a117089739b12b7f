"""Blocks that were made for one check, a file each. A team may have none of them.

A file is found by being here: see `blocks.checks.registry`. Blocks that several checks read are elsewhere.
"""

__all__ = ["reader", "registry"]
