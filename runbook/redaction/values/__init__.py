"""The value after a label: where it ends, and whether it is a secret at all."""

__all__ = ["harmless", "label_values"]
