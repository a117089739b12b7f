"""The imitated API server: requests, authorisation, lists and watches."""

__all__ = [
    "api",
    "auth",
    "calls",
    "chunks",
    "errors",
    "request_info",
    "selectors",
    "serving",
    "tables",
    "watching",
]
