"""Public addresses: where people reach what listens here, such as through a proxy with TLS."""

from typing import Annotated

from pydantic import AfterValidator

_WANTED = "not an address such as https://runbook.example.com"


def _public_url(text: str) -> str:
    """The address as browsers write it, without a slash at its end; empty for none.

    Raises:
        ValueError: it is no address of HTTP, or has more than a host, a port and a path.
    """
    if not text:
        return ""
    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError(_WANTED) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(_WANTED)
    if url.query or url.fragment or url.userinfo:
        raise ValueError("it has more than a host, a port and a path")
    return str(url).rstrip("/")


PublicUrl = Annotated[str, AfterValidator(_public_url)]
"""An address without a slash at its end, or empty. A browser names it so as an origin: no default port."""
