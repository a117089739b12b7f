"""A server that takes notifications as the receiver does, and does nothing with them."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def take(request: Request) -> JSONResponse:
    """Read the body, as every receiver must, and answer like one."""
    await request.body()
    return JSONResponse({"incidents": [], "ignored": []}, status_code=202)


async def health(_: Request) -> JSONResponse:
    """Whether the process answers."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/alerts/alertmanager", take, methods=["POST"]), Route("/healthz", health)])
