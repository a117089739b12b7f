"""Mattermost's API v4, as far as a bot needs it: create a post, read the posts of a channel."""

import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CHANNEL_ID = "w7d4k9zq5tbx8nrp3m6cyhfa1e"
TOKEN = "b0t" * 8 + "xy"
MOST_CHARACTERS = 16_383


class Mattermost:
    """One channel; `posts` is what it holds, oldest first. With `loses_answers`, none is confirmed."""

    def __init__(self) -> None:
        """Have an empty channel."""
        self.posts: list[dict[str, Any]] = []
        self.loses_answers = False
        self.app = Starlette(
            routes=[
                Route("/api/v4/posts", self._create, methods=["POST"]),
                Route("/api/v4/channels/{channel}/posts", self._list, methods=["GET"]),
            ]
        )

    async def _create(self, request: Request) -> Response:
        if refused := _refused(request):
            return refused
        given = await request.json()
        if given.get("channel_id") != CHANNEL_ID:
            return _error(403, "api.context.permissions.app_error")
        if not given.get("message") or len(given["message"]) > MOST_CHARACTERS:
            return _error(400, "api.post.create_post.message.app_error")
        root = given.get("root_id", "")
        if root and all(post["id"] != root for post in self.posts):
            return _error(400, "api.post.create_post.root_id.app_error")
        now = int(time.time() * 1000)
        post = {**given, "id": uuid.uuid4().hex[:26], "create_at": now, "update_at": now}
        self.posts.append(post)
        if self.loses_answers:
            return _error(500, "store.sql_post.save.app_error")
        return JSONResponse(post, status_code=201)

    async def _list(self, request: Request) -> Response:
        if refused := _refused(request):
            return refused
        if request.path_params["channel"] != CHANNEL_ID:
            return _error(403, "api.context.permissions.app_error")
        since = int(request.query_params.get("since", "0"))
        found = [post for post in reversed(self.posts) if post["update_at"] >= since]
        by_id = {post["id"]: post for post in found}
        return JSONResponse({"order": list(by_id), "posts": by_id})


def _refused(request: Request) -> Response | None:
    if request.headers.get("authorization") == f"Bearer {TOKEN}":
        return None
    return _error(401, "api.context.session_expired.app_error")


def _error(status: int, code: str) -> Response:
    return JSONResponse({"id": code, "message": code, "status_code": status}, status_code=status)
