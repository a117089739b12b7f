"""A file in Slack: an address for the upload, the upload, and sharing it in a thread.

The first two leave nothing that people see: a file that is not completed is not kept. Source: Slack's
"Working with files" and its methods `files.getUploadURLExternal` and `files.completeUploadExternal`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from blocks.channels.channel import Receipt, SharedFile
from blocks.channels.slack_access import Call
from blocks.channels.slack_client import SYSTEM
from blocks.transport.errors import OutsideError, Refused, Unavailable, Unreadable, having_sent
from blocks.transport.http import exchange
from blocks.transport.translating import refusal
from runbook.channels.cards.question_files import LINK
from runbook.redaction import redact

MOST_ALT = 1_000
MOST_TITLE = 200
_NEXT_STEP = "See Slack's documentation of files.getUploadURLExternal"


async def share(
    call: Call, file: SharedFile, channel: str, thread_ts: str | None, *, timeout_seconds: float
) -> Receipt:
    """Upload the file and share it in the thread; `call` names what is done, and does it.

    Raises:
        Unavailable: Slack cannot be reached; it may have landed only where the file may be shared.
        Refused: Slack does not take it.
    """
    with _nothing_shared():
        answer = await call("upload a file", partial(_address, file=file))
        url, file_id = str(answer.get("upload_url", "")), str(answer.get("file_id", ""))
        if not file_id or not url.startswith(("https://", "http://")):
            raise Unreadable(SYSTEM, "the answer has no address for the upload", "Check the base URL")
        await _upload(url, file.content, timeout_seconds=timeout_seconds)
    with having_sent():
        done = await call(
            "share a file",
            lambda client: client.files_completeUploadExternal(
                files=[{"id": file_id, "title": file.title[:MOST_TITLE]}],
                channel_id=channel,
                thread_ts=thread_ts,
            ),
        )
    shared = [it for it in done.get("files") or [] if isinstance(it, dict) and it.get("id") == file_id]
    return _receipt({"id": file_id} | (shared[0] if shared else {}))


def file_of(message: Mapping[str, Any], name: str) -> Receipt | None:
    """The file with that name in a message of the thread."""
    files = [it for it in message.get("files") or [] if isinstance(it, dict)]
    return next((_receipt(it) for it in files if it.get("name") == name), None)


def _address(client: WebClient, *, file: SharedFile) -> SlackResponse:
    return client.files_getUploadURLExternal(
        filename=file.name,
        length=len(file.content),
        alt_txt=file.alt[:MOST_ALT] or None,
        snippet_type=file.snippet or None,
    )


async def _upload(url: str, content: bytes, *, timeout_seconds: float) -> None:
    """Post the bytes. The address is a secret by itself: whoever has it can upload there."""
    try:
        headers = {"Content-Type": "application/octet-stream"}
        answer = await exchange(
            SYSTEM, "POST", url, headers=headers, content=content, timeout_seconds=timeout_seconds
        )
        if not answer.is_success:
            raise refusal(answer, system=SYSTEM)
    except Unavailable as error:
        raise Unavailable(
            SYSTEM,
            _hidden(error, url),
            http_status=error.http_status,
            retry_after_seconds=error.retry_after_seconds,
        ) from None
    except OutsideError as error:
        raise Refused(SYSTEM, _hidden(error, url), _NEXT_STEP) from None


def _hidden(error: OutsideError, url: str) -> str:
    path = httpx.URL(url).path
    return f"the upload of a file: {redact(error.detail, [url, path])}"


@contextmanager
def _nothing_shared() -> Iterator[None]:
    """Whatever became of these requests, people see nothing of them."""
    try:
        yield
    except Unavailable as error:
        raise Unavailable(
            error.system,
            error.detail,
            error.next_step,
            http_status=error.http_status,
            retry_after_seconds=error.retry_after_seconds,
        ) from None


def _receipt(file: Mapping[str, Any]) -> Receipt:
    receipt: Receipt = {"file": str(file.get("id", ""))}
    link = str(file.get("permalink") or "")
    if link.startswith("https://"):
        receipt[LINK] = link
    return receipt
