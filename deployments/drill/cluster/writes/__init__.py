"""How the imitated API server takes a write: patches, defaults, validation, field managers."""

__all__ = [
    "admission",
    "decoding",
    "json_patch",
    "managed_fields",
    "registry",
    "scaling",
    "strategic_merge",
    "write_options",
]
