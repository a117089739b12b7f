"""Files in Slack: an address that takes one upload, the upload, and sharing it in a channel or a thread.

Source: Slack's reference of `files.getUploadURLExternal` and `files.completeUploadExternal`. What is not
completed is seen by nobody.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from deployments.drill.world.channels.slack_arguments import ORIGIN, Args, Refused
from deployments.drill.world.faults import SlackFaults

SCOPE = "files:write"
MOST_BYTES = 1_000_000_000
MOST_SNIPPET = 1_000_000
MOST_ALT = 1_000
SNIPPETS = ("diff", "text", "json", "yaml", "shell")

_TYPES = {"png": "image/png", "diff": "text/x-diff"}


class FileWorkspace(Protocol):
    """What is needed of the workspace."""

    faults: SlackFaults

    def post(self, args: Args, content: dict[str, Any]) -> dict[str, Any]:
        """A message of the bot's in the channel and thread of the arguments."""


@dataclass
class _File:
    id: str
    name: str
    length: int
    alt: str
    content: bytes | None = None
    shared: bool = False


@dataclass
class SlackFiles:
    """The files of the workspace; `contents` has those that were shared, by id."""

    workspace: FileWorkspace
    contents: dict[str, bytes] = field(default_factory=dict)
    _files: dict[str, _File] = field(default_factory=dict)
    _addresses: dict[str, _File] = field(default_factory=dict)

    async def new_address(self, args: Args) -> Args:
        """`files.getUploadURLExternal`."""
        self._require_scope()
        name, length = str(args.get("filename") or ""), str(args.get("length") or "")
        if not name or not length.isdecimal() or not 0 < int(length) <= MOST_BYTES:
            raise Refused("invalid_arguments")
        alt, snippet = str(args.get("alt_txt") or ""), args.get("snippet_type")
        if len(alt) > MOST_ALT:
            raise Refused("alt_txt_too_large")
        if snippet and snippet not in SNIPPETS:
            raise Refused("unknown_snippet_type")
        if snippet and int(length) > MOST_SNIPPET:
            raise Refused("snippet_too_large")
        file = _File(f"F0{secrets.token_hex(4).upper()}", name, int(length), alt)
        ticket = secrets.token_urlsafe(24)
        self._files[file.id] = self._addresses[ticket] = file
        return {"ok": True, "upload_url": f"{args[ORIGIN]}/upload/v1/{ticket}", "file_id": file.id}

    async def take(self, request: Request) -> Response:
        """The upload. An address is good for one, of as many bytes as were announced."""
        request.state.path = "/upload/v1/<ticket>"
        file = self._addresses.pop(request.path_params["ticket"], None)
        if file is None:
            return PlainTextResponse("no such upload", 404)
        request.state.authenticated_as = "upload address"
        content = await request.body()
        if len(content) != file.length:
            return PlainTextResponse(f"{len(content)} bytes in place of {file.length}", 400)
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def complete(self, args: Args) -> Args:
        """`files.completeUploadExternal`: the files are shared, once, as one message."""
        self._require_scope()
        asked = args.get("files")
        if not isinstance(asked, list) or not asked or not all(isinstance(it, dict) for it in asked):
            raise Refused("invalid_arguments")
        shown, files = [], []
        for item in asked:
            file = self._files.get(str(item.get("id")))
            if file is None or file.content is None or file.shared:
                raise Refused("file_not_found")
            files.append(file)
            shown.append(_shown(file, str(item.get("title") or file.name)))
        if args.get("channel_id"):
            self.workspace.post(args | {"channel": args["channel_id"]}, {"text": "", "files": shown})
        for file in files:
            file.shared, self.contents[file.id] = True, file.content or b""
        return {"ok": True, "files": shown}

    def _require_scope(self) -> None:
        if SCOPE in self.workspace.faults.missing_scopes:
            raise Refused("missing_scope", needed=SCOPE, provided="chat:write,channels:history")


def _shown(file: _File, title: str) -> dict[str, Any]:
    suffix = file.name.rpartition(".")[2]
    return {
        "id": file.id,
        "name": file.name,
        "title": title,
        "filetype": suffix,
        "mimetype": _TYPES.get(suffix, "text/plain"),
        "size": file.length,
        "alt_txt": file.alt,
        "permalink": f"https://drill.slack.com/files/U0RUNBOOKBT/{file.id}/{file.name}",
    }
