"""The imitated API server: requests, authorisation, lists and watches."""
