"""The settings file, its secrets and its warnings."""

__all__ = ["file", "missing", "public_url", "secrets", "settings", "signing_key"]
