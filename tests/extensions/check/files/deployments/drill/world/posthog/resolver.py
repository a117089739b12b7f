"""A resolver's JSON API, as far as a lookup needs it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

NO_SUCH_NAME, A, CNAME = 3, 1, 5


class Resolver:
    """Knows the addresses of some hosts. With a `failure`, that is its response code for all of them."""

    def __init__(self, **addresses: str) -> None:
        """Know these hosts, whose dots are underscores."""
        self.addresses = {host.replace("_", "."): address for host, address in addresses.items()}
        self.failure = 0
        self.asked = 0
        self.app = Starlette(routes=[Route("/resolve", self._resolve)])

    async def _resolve(self, request: Request) -> JSONResponse:
        self.asked += 1
        host = request.query_params["name"]
        question = {"Question": [{"name": f"{host}.", "type": A}]}
        if self.failure:
            return JSONResponse({"Status": self.failure, **question})
        if host not in self.addresses:
            return JSONResponse({"Status": NO_SUCH_NAME, **question})
        records = [
            {"name": f"{host}.", "type": CNAME, "TTL": 60, "data": "lb.example."},
            {"name": "lb.example.", "type": A, "TTL": 60, "data": self.addresses[host]},
        ]
        return JSONResponse({"Status": 0, **question, "Answer": records})
