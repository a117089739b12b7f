"""What the platform team decides once, and which of it holds while an incident is open."""

__all__ = [
    "business_hours",
    "in_force",
    "maintenance",
    "permissions",
    "policy",
    "service_policy",
    "settings_tables",
]
