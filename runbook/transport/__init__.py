"""What of addresses and headers is a secret, and which headers may be set."""
