"""Masking of data in a format: JSON, YAML, XML and bracketed values."""

__all__ = ["brackets", "json_text", "markup", "structure", "yaml_data", "yaml_text"]
