"""All blocks of an environment are read with one request; what does not fit is named."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import PrefectHTTPStatusError

from blocks.channels.pager import Pager
from blocks.integration import IntegrationService
from blocks.saved import saved_blocks
from blocks.transport.errors import Refused

KINDS: dict[str, type[Block]] = {"integration": IntegrationService, "pager": Pager}


class Api:
    """Answers as `POST /block_documents/filter` of Prefect 3.8 does, and counts.

    `most` is `PREFECT_SERVER_API_DEFAULT_LIMIT`: so many documents in one answer, and no more may be asked
    for.
    """

    def __init__(self, *documents: Any, most: int = 200) -> None:
        self.documents, self.most = documents, most
        self.asked: list[tuple[str, str, Any]] = []

    async def request(self, method: str, path: str, *, json: Any) -> httpx.Response:
        """The documents of the kinds that are asked for."""
        self.asked.append((method, path, json))
        limit, offset = json.get("limit", self.most), json.get("offset", 0)
        if limit > self.most:
            refused = httpx.Response(
                422, json={"detail": "Invalid limit"}, request=httpx.Request(method, "/")
            )
            raise PrefectHTTPStatusError("422", request=refused.request, response=refused)
        wanted = json["block_types"]["slug"]["any_"]
        of_kind = [it for it in self.documents if not isinstance(it, dict) or _slug(it) in (None, *wanted)]
        return httpx.Response(200, json=of_kind[offset : offset + limit])


def _slug(document: dict[str, Any]) -> str | None:
    block_type = document.get("block_type")
    return block_type["slug"] if block_type else None


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


async def test_a_server_that_gives_few_at_a_time_hides_none() -> None:
    """A pager on its second page is none that is missing."""
    mine = document(IntegrationService, {"health_url": "http://127.0.0.1:1/health"})
    api = Api(mine, document(Pager, {"routing_key": "R1"}), most=1)
    found = await saved_blocks(KINDS, "default", cast(PrefectClient, api))
    assert isinstance(found["pager"], Pager)
    assert isinstance(found["integration"], IntegrationService)


@pytest.mark.parametrize(
    "spoiled",
    [
        "hunter2",
        None,
        {"name": "hunter2"},
        document(Pager, {}) | {"data": "hunter2"},
        document(Pager, {"routing_key": "hunter2"}) | {"block_type": None},
        document(Pager, {"routing_key": "hunter2"}) | {"block_schema": "hunter2"},
    ],
)
async def test_an_answer_that_cannot_be_read_is_refused(spoiled: Any) -> None:
    """Without what it says: it may be a secret."""
    with pytest.raises(Refused, match="cannot be read") as refused:
        await saved_blocks(KINDS, "default", cast(PrefectClient, Api(spoiled)))
    assert "hunter2" not in f"{refused.value}{refused.value.__cause__}"


async def test_a_block_that_does_not_fit_is_not_taken_for_a_missing_one() -> None:
    """Without its pager an environment would respond, and page nobody."""
    api = Api(document(Pager, {"routing_key": "R1", "timeout_seconds": "hunter2"}))
    with pytest.raises(Refused, match=r"runbook-pager/default does not fit .*timeout_seconds") as refused:
        await saved_blocks(KINDS, "default", cast(PrefectClient, api))
    assert "hunter2" not in str(refused.value)
