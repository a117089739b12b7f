"""Who may answer a question, how they prove who they are, and when a plan counts as approved."""

__all__ = [
    "acts",
    "approvals",
    "asking",
    "authority",
    "awaited",
    "ends",
    "gates",
    "identity",
    "names",
    "people",
    "rejections",
    "rules",
    "signatures",
]
