"""Telling people: messages, pages and the public status page, each an effect."""

__all__ = ["call", "deliver", "direct_calls", "links", "remind", "shown"]
