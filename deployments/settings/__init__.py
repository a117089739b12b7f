"""The settings file, its secrets and its warnings."""

__all__ = ["settings", "signing_key"]
