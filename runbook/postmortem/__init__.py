"""The draft of the post-mortem and the facts in it."""
