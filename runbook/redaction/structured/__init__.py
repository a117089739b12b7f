"""Masking of data in a format: JSON, YAML, XML and bracketed values."""
