"""Flows that a test's worker runs: they say where and when they run."""

import asyncio
import json
import os
from pathlib import Path

from prefect import flow


@flow
async def probe(folder: str, seconds: float = 0) -> None:
    """Leave the process id behind, then work for a while."""
    seen = {"folder": os.getcwd(), "environment": dict(os.environ)}
    (Path(folder) / "seen.json").write_text(json.dumps(seen))
    (Path(folder) / "pid").write_text(f"{os.getpid()} {os.getppid()}")
    await asyncio.sleep(seconds)
