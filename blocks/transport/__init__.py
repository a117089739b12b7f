"""One exchange with an outside system: HTTP, credentials, threads and errors."""
