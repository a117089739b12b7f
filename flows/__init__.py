"""The story: what happens in which order, and where people approve."""
