"""A file for each version that the tables ever had, oldest first."""
