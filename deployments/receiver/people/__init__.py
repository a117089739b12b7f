"""The receiver's API for people."""
