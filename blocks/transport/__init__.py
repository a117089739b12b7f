"""One exchange with an outside system: HTTP, credentials, threads and errors."""

__all__ = ["credentials", "errors", "http", "prefect_api", "threads", "translating", "web_pages"]
