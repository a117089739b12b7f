"""Telling people: messages, pages and the public status page, each an effect."""
