"""The imitated API server: requests, authorisation, lists and watches."""

__all__ = [
    "api",
    "auth",
    "calls",
    "errors",
    "paging",
    "request_info",
    "selectors",
    "serving",
    "tables",
    "watching",
]
