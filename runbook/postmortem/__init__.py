"""The draft of the post-mortem and the facts in it."""

__all__ = ["draft", "impact_figures"]
