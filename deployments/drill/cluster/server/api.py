"""The API server: it authenticates, authorises, records and answers; any request may meet a fault."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from deployments.drill.cluster.faults import Fault
from deployments.drill.cluster.kinds import POD, REVIEWS, by_plural
from deployments.drill.cluster.node.kubelet import Kubelet
from deployments.drill.cluster.node.logs import Log, LogOptions
from deployments.drill.cluster.recording import RecordedRequest
from deployments.drill.cluster.resources import Resources
from deployments.drill.cluster.server.auth import Authority
from deployments.drill.cluster.server.calls import Call
from deployments.drill.cluster.server.discovery import HEALTH_PATHS, discovery
from deployments.drill.cluster.server.errors import ApiError, method_not_allowed
from deployments.drill.cluster.server.openapi import PROTOBUF_V2, openapi_v2_protobuf, openapi_v3
from deployments.drill.cluster.server.request_info import RequestInfo
from deployments.drill.cluster.server.reviews import answered
from deployments.drill.cluster.writes.registry import Registry

ABORT = "drill.abort_connection"
"""Key of the ASGI scope under which the server offers to drop the connection."""


class DroppedConnection(Response):
    """No answer: the connection is cut."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Cut it, and return when the server knows. Raises ConnectionError where no server offers to."""
        if ABORT not in scope:
            raise ConnectionError("this server cannot drop a connection")
        scope[ABORT]()
        while (await receive())["type"] != "http.disconnect":
            continue


class Api:
    """The endpoint behind every path of the API server."""

    def __init__(
        self, registry: Registry, authority: Authority, kubelet: Kubelet, clock: Callable[[], datetime]
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.faults: list[Fault] = []
        self._registry = registry
        self._authority = authority
        self._kubelet = kubelet
        self._clock = clock
        self._resources = Resources(registry, clock)
        self._closing = asyncio.Event()

    async def handle(self, request: Request) -> Response:
        """Answer one request; refusals become Status bodies."""
        call = await Call.of(request)
        path = request.url.path
        recorded = RecordedRequest(self._clock(), request.method, path, call.query, body=call.recorded_body())
        self.requests.append(recorded)
        fault = next((each for each in self.faults if each.take(request.method, path)), None)
        if fault is None:
            response = await self._answer(request, call, recorded)
        else:
            response = await self._answer_faultily(fault, request, call, recorded)
        if not isinstance(response, DroppedConnection):
            recorded.status = response.status_code
        return response

    async def _answer_faultily(
        self, fault: Fault, request: Request, call: Call, recorded: RecordedRequest
    ) -> Response:
        await self._delay(fault.delay_before)
        if fault.close == "before_effect":
            return DroppedConnection()
        refusal = fault.refusal()
        if refusal is not None:
            headers = None if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            if fault.text is not None:
                return PlainTextResponse(fault.text, refusal.code, headers)
            return JSONResponse(refusal.body, refusal.code, headers)
        response = await self._answer(request, call, recorded)
        await self._delay(fault.delay_after)
        if fault.close == "after_effect":
            return DroppedConnection()
        if fault.short_body is not None and not isinstance(response, StreamingResponse):
            cut = bytes(response.body)[: fault.short_body]
            return Response(cut, response.status_code, media_type=response.media_type)
        return response

    async def _delay(self, seconds: float) -> None:
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    def end_delays(self) -> None:
        """Let every request go on that a fault holds up."""
        self._closing.set()
        self._closing = asyncio.Event()

    async def _answer(self, request: Request, call: Call, recorded: RecordedRequest) -> Response:
        info = RequestInfo.of(request.method, request.url.path, call.query)
        try:
            recorded.user = self._authority.authenticate(request.headers.get("authorization"))
            self._authority.authorize(recorded.user, info.attributes)
            return self._dispatch(info, call, recorded.user)
        except ApiError as error:
            return JSONResponse(error.body, error.code)

    def _dispatch(self, info: RequestInfo, call: Call, user: str) -> Response:
        if not info.resource:
            return _path(info.path)
        review = REVIEWS.get((info.group, info.resource))
        if review is not None:
            if info.verb != "create":
                raise method_not_allowed()
            return JSONResponse(answered(review, call.review(review), user, self._authority), 201)
        kind = by_plural(info.group, info.resource)
        if kind is None or info.version != kind.version:
            return _page_not_found()
        if kind is POD and info.subresource == "log" and info.verb == "get":
            return self._log(info, call)
        return self._resources.answer(kind, info, call)

    def _log(self, info: RequestInfo, call: Call) -> Response:
        pod = self._registry.find(POD, info.namespace, info.name)
        options = LogOptions.from_query(info.name, call.query)
        run = self._kubelet.pods.get(pod["metadata"]["uid"])
        if run is None:
            return PlainTextResponse("")
        log = run.container(options.container).log(info.name, options.previous)
        data = log.read(options, self._clock())
        if options.follow and not log.closed:
            return StreamingResponse(_followed(log, data, options.timestamps), media_type="text/plain")
        return Response(data, media_type="text/plain")


async def _followed(log: Log, data: bytes, timestamps: bool) -> AsyncIterator[bytes]:
    with log.followed() as lines:
        yield data
        while (line := await lines.get()) is not None:
            yield line.encoded(timestamps)


def _page_not_found() -> Response:
    return PlainTextResponse("404 page not found\n", 404)


def _path(path: str) -> Response:
    if path in HEALTH_PATHS:
        return PlainTextResponse("ok")
    if path == "/openapi/v2":
        return Response(openapi_v2_protobuf(), media_type=PROTOBUF_V2)
    document = discovery(path.rstrip("/")) or openapi_v3(path.rstrip("/"))
    return _page_not_found() if document is None else JSONResponse(document)
