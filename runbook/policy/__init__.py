"""What the platform team decides once, and which of it holds while an incident is open."""
