"""The incident store: journals, alerts, leases, lists and what is kept of the self-watch, in SQL."""
