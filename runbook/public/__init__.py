"""What the public is told: which areas of the product are affected, and what a public text may say."""

__all__ = [
    "affected",
    "answers",
    "areas",
    "gate",
    "lint",
    "proposals",
    "publishing",
    "refreshing",
    "texts",
    "written",
]
