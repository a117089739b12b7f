"""Shapes by which secrets and personal data are known without a label: a file for each subject.

Sources of the shapes: the vendors' documentation of their keys, and the public rules of gitleaks and
detect-secrets.
"""

__all__ = [
    "addresses",
    "cloud_keys",
    "key_pairs",
    "private_keys",
    "rules",
    "service_keys",
    "tokens",
    "urls",
    "webhooks",
]
