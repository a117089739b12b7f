"""All blocks of an environment are read with one request; what does not fit is named."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient

from blocks.channels.pager import Pager
from blocks.integration import IntegrationService
from blocks.saved import saved_blocks
from blocks.transport.errors import Refused

KINDS: dict[str, type[Block]] = {"integration": IntegrationService, "pager": Pager}


class Api:
    """Answers as `POST /block_documents/filter` of Prefect 3.8 does, and counts."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked: list[tuple[str, str, Any]] = []

    async def request(self, method: str, path: str, *, json: Any) -> httpx.Response:
        """The documents."""
        self.asked.append((method, path, json))
        return httpx.Response(200, json=self.documents)


def document(kind: type[Block], data: dict[str, Any]) -> dict[str, Any]:
    """A document of a block, with the fields that matter."""
    at, slug = datetime(2026, 11, 29, tzinfo=UTC).isoformat(), kind.get_block_type_slug()
    schema, block_type = str(uuid4()), str(uuid4())
    return {
        "id": str(uuid4()),
        "created": at,
        "updated": at,
        "name": "default",
        "data": data,
        "block_schema_id": schema,
        "block_schema": {"id": schema, "checksum": "sha256:0", "fields": {}, "block_type_id": block_type},
        "block_type_id": block_type,
        "block_type_name": slug,
        "block_type": {"id": block_type, "name": slug, "slug": slug},
        "block_document_references": {},
        "is_anonymous": False,
    }


async def test_one_request_reads_them_all() -> None:
    """What is not saved is `None`, and documents of other kinds under the same name do no harm."""
    other = document(Pager, {}) | {"block_type": {"id": str(uuid4()), "name": "other", "slug": "other"}}
    api = Api(document(IntegrationService, {"health_url": "http://127.0.0.1:1/health"}), other)
    found = await saved_blocks(KINDS, "default", cast(PrefectClient, api))
    assert isinstance(found["integration"], IntegrationService)
    assert found["integration"].health_url == "http://127.0.0.1:1/health"
    assert found["pager"] is None
    assert [(method, path) for method, path, _ in api.asked] == [("POST", "/block_documents/filter")]


async def test_a_block_that_does_not_fit_is_not_taken_for_a_missing_one() -> None:
    """Without its pager an environment would respond, and page nobody."""
    api = Api(document(Pager, {"routing_key": "R1", "timeout_seconds": "hunter2"}))
    with pytest.raises(Refused, match=r"runbook-pager/default does not fit .*timeout_seconds") as refused:
        await saved_blocks(KINDS, "default", cast(PrefectClient, api))
    assert "hunter2" not in str(refused.value)
