"""The decision: the tree, the severity, the error types and the plan that follows from the findings."""

__all__ = ["decide", "error_types", "leaves", "plan", "severity", "tree_picture", "tree_text", "verdict"]
