"""How the imitated API server takes a write: patches, defaults, validation, field managers."""
