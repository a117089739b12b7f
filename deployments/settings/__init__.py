"""The settings file, its secrets and its warnings."""

__all__ = ["missing", "public_url", "settings", "signing_key"]
