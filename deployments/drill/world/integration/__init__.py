"""The integration in the drill: its traffic, its pods, its releases."""
