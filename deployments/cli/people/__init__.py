"""Commands with which people answer, lead and hand back."""
