"""Evidence as files: collected, drawn, sealed and removed again."""
