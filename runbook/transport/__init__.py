"""What of addresses and headers is a secret, and which headers may be set."""

__all__ = ["addresses", "credential_names", "request_headers"]
