"""The settings file, its secrets and its warnings."""
