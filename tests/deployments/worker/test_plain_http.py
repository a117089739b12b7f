"""Without TLS no certificates are read."""

import ssl
from pathlib import Path

import pytest

from deployments.worker.plain_http import certificates


def test_a_server_without_tls_gets_one_certificate(tmp_path: Path) -> None:
    """It is a file that the client can load."""
    file = certificates("http://127.0.0.1:4200/api", tmp_path)
    assert file is not None
    assert len(ssl.create_default_context(cafile=file).get_ca_certs()) == 1


@pytest.mark.parametrize("url", ["https://prefect.example/api", "", None])
def test_any_other_server_gets_them_all(tmp_path: Path, url: str | None) -> None:
    """There they are needed."""
    assert certificates(url, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
