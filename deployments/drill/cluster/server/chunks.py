"""Long lists in chunks, as the API server gives them: `limit`, `continue` and `remainingItemCount`.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks".
"""

import base64
from collections.abc import Mapping

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import bad_request


def chunk(found: list[JsonObject], query: Mapping[str, str]) -> tuple[list[JsonObject], JsonObject]:
    """Some of the found objects, and what the list's metadata say of the rest.

    Raises:
        ApiError: 400 for a malformed limit or token.
    """
    start = _start(query.get("continue", ""))
    limit = query.get("limit") or "0"
    if not limit.isdecimal():
        raise bad_request(f'strconv.ParseInt: parsing "{limit}": invalid syntax')
    end = start + int(limit) if int(limit) else len(found)
    if end >= len(found):
        return found[start:], {}
    token = base64.urlsafe_b64encode(str(end).encode()).decode()
    return found[start:end], {"continue": token, "remainingItemCount": len(found) - end}


def _start(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise bad_request("continue key is not valid") from None
