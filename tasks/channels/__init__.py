"""Telling people: messages, pages and the public status page, each an effect."""

__all__ = ["deliver", "direct_pages", "files", "links", "page", "refresh", "remind", "shown"]
