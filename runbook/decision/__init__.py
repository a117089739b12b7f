"""The decision: the tree, the severity, the error types and the plan that follows from the findings."""
