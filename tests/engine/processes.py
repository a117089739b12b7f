"""The processes below a worker."""

from pathlib import Path


def engines(worker: int) -> list[int]:
    """The processes that run a flow: the children of the worker's warm process."""
    return [pid for zygote in children(worker) for pid in children(zygote) if not _stands_in(zygote)]


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def _stands_in(pid: int) -> bool:
    """Whether a process only stands in for one that runs a flow."""
    return b"warm_run" in Path(f"/proc/{pid}/cmdline").read_bytes()
