"""The blocks that are saved under one name, read from Prefect together.

An environment has a block for each system. One request for all of them takes Prefect's server as long as a
request for one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from prefect.blocks.core import Block
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import PrefectHTTPStatusError
from pydantic import ValidationError

from blocks.transport.errors import Refused

if TYPE_CHECKING:
    from httpx import Response
    from prefect.client.orchestration import PrefectClient

_FILTER: Final = "/block_documents/filter"


async def saved_blocks(
    kinds: Mapping[str, type[Block]], name: str, client: "PrefectClient"
) -> dict[str, Block | None]:
    """The blocks of these kinds that are saved under a name; `None` for a kind of which there is none.

    Raises:
        Refused: one is saved with other fields than its class has.
        prefect.exceptions.PrefectHTTPStatusError: Prefect refused, or does not answer well.
    """
    return await blocks_of(await saved_documents(kinds, name, client), kinds, name)


async def blocks_of(
    saved: Sequence[BlockDocument], kinds: Mapping[str, type[Block]], name: str
) -> dict[str, Block | None]:
    """The blocks of these kinds among the documents of a name; `None` for a kind of which there is none.

    Raises:
        Refused: one is saved with other fields than its class has.
    """
    documents = _Documents(saved)
    loaded = await asyncio.gather(*(_load(kind, name, documents) for kind in kinds.values()))
    return dict(zip(kinds, loaded, strict=True))


async def saved_documents(
    kinds: Mapping[str, type[Block]], name: str, client: "PrefectClient"
) -> list[BlockDocument]:
    """The documents of these kinds under a name, with their secrets: as many as there can be, or, of a server
    that gives fewer at a time, page by page.

    Raises:
        Refused: the answer cannot be read.
        prefect.exceptions.PrefectHTTPStatusError: Prefect refused, or does not answer well.
    """
    slugs = [_slug(kind) for kind in kinds.values()]
    asked = {
        "block_documents": {"name": {"any_": [name]}},
        "block_types": {"slug": {"any_": [*slugs]}},
        "include_secrets": True,
        "sort": "BLOCK_TYPE_AND_NAME_ASC",  # the pages of one that sorts equals anew may miss some
    }
    try:
        return _read(await client.request("POST", _FILTER, json=asked | {"limit": len(slugs)}))
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
    found: list[BlockDocument] = []
    while len(found) < len(slugs):  # there is one of each type under a name at most
        page = _read(await client.request("POST", _FILTER, json=asked | {"offset": len(found)}))
        if not page:
            break
        found += page
    return found


def _read(answer: "Response") -> list[BlockDocument]:
    """The documents of an answer.

    Raises:
        Refused: they cannot be read. What they say is not told: it may be a secret.
    """
    try:
        documents = BlockDocument.model_validate_list(answer.json())
    except (ValueError, TypeError):
        documents = None
    if documents is None or any(each.block_type is None for each in documents):
        raise Refused(
            "Prefect", "its answer about the saved blocks cannot be read", "Check its release and its address"
        )
    return documents


@cache
def _slug(kind: type[Block]) -> str:
    return kind.get_block_type_slug()  # which works it out anew each time


class _Documents:
    """In place of a client, for Prefect's own loading of a block: answers from what was read before."""

    def __init__(self, documents: Sequence[BlockDocument]) -> None:
        self._of = {each.block_type.slug: each for each in documents if each.block_type is not None}

    def __contains__(self, block_type_slug: str) -> bool:
        return block_type_slug in self._of

    async def read_block_document_by_name(self, *, block_type_slug: str, **_: Any) -> BlockDocument:
        return self._of[block_type_slug]


async def _load(kind: type[Block], name: str, documents: _Documents) -> Block | None:
    slug = _slug(kind)
    if slug not in documents:
        return None
    try:
        block: Block = await kind.aload(name, client=cast("PrefectClient", documents))
    except RuntimeError as error:  # Prefect's way to say that it does not validate
        mistakes = error.__cause__.errors() if isinstance(error.__cause__, ValidationError) else []
        fields = ", ".join(sorted({str(each["loc"][0]) for each in mistakes if each["loc"]}))
        raise Refused(
            "Prefect",
            f"the block {slug}/{name} does not fit this release" + (f" (fields: {fields})" if fields else ""),
            "Run `runbook configure FILE`, which saves it anew",
        ) from None
    return block
