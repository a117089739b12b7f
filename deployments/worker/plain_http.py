"""Spares what speaks plain HTTP with Prefect's server the reading of a hundred and more certificates.

Prefect's client reads them for each client that it makes, some ten in each run, 20 ms each, whatever the
address is.
"""

import re
from pathlib import Path

import certifi

VARIABLE = "PREFECT_API_SSL_CERT_FILE"

_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


def certificates(api_url: str | None, folder: Path) -> str | None:
    """The file of one certificate for a server that is reached without TLS; `None` for any other.

    Were such a server to lead to an address with TLS, nearly every certificate would be refused there.
    """
    if not (api_url or "").startswith("http://"):
        return None
    first = _FIRST.search(certifi.contents())
    if first is None:
        return None
    file = folder / "one-certificate.pem"
    file.write_text(first.group())
    return str(file)
