"""Who may send alerts, and how each source proves it."""
