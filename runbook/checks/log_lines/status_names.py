"""HTTP statuses by name: what .NET, Java and gRPC gateways write in place of the number.

Source: the members of .NET's `HttpStatusCode` and Spring's `HttpStatus`. Only whole names count, where the
words before them say that a status follows: `Unauthorized` alone is also a word.
"""

import re
from collections.abc import Iterator

_NAMES = {
    "BadRequest": "400",
    "Unauthorized": "401",
    "PaymentRequired": "402",
    "Forbidden": "403",
    "NotFound": "404",
    "RequestTimeout": "408",
    "RequestEntityTooLarge": "413",
    "UnprocessableEntity": "422",
    "UnprocessableContent": "422",
    "TooManyRequests": "429",
    "InternalServerError": "500",
    "BadGateway": "502",
    "ServiceUnavailable": "503",
    "GatewayTimeout": "504",
}
_FORMS = {
    form: code
    for name, code in _NAMES.items()
    for form in (name, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())
}
_NAMED = re.compile(
    r"\b(?i:status[ _-]?code|http[ _-]?status|status|returned|answered|responded with|got|received)"
    r"[\"']?\s{0,2}[:=]?\s{0,2}(?i:is |was )?[\"'(]{0,2}(?:HttpStatusCode\.|HttpStatus\.)?"
    rf"(?P<name>{'|'.join(sorted(_FORMS, key=len, reverse=True))})(?![\w.])"
    r"(?!\s(?!(?:for|from|to|by|with|and|on|at|after|in|when|while|status)\b)\w)",
    re.ASCII,
)


def status_by_name(value: str) -> str | None:
    """The status whose whole name the value is, such as `TooManyRequests` or `TOO_MANY_REQUESTS`."""
    return _FORMS.get(value)


def statuses_by_name(text: str) -> Iterator[str]:
    """The statuses that a free text tells by their names: `status code ServiceUnavailable`."""
    return (_FORMS[found["name"]] for found in _NAMED.finditer(text))
