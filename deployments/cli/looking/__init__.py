"""One incident for the person who looks at it: in short, in full, or as it goes on."""

__all__ = ["incident", "render"]
