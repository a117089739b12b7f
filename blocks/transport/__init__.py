"""One exchange with an outside system: HTTP, credentials, threads and errors."""

__all__ = ["credentials", "errors", "http", "pages", "prefect_api", "threads"]
