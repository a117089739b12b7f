"""The temporary folders of workers: those that killed workers have left are removed, no others."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from deployments.worker.folders import ZYGOTE, new_folder, remove_left_over


def left_by(parent: Path, name: str, *, bound: bool) -> Path:
    """A folder of a worker; `bound` is whether it came to its socket, at which nobody listens any more."""
    folder = parent / f"runbook-worker-{name}"
    (folder / "runbook-run-1").mkdir(parents=True)
    if bound:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / ZYGOTE))
            listener.listen()
    return folder


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder with a short path, as sockets need."""
    folder = Path(tempfile.mkdtemp(prefix="d"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_what_killed_workers_left_is_removed_at_the_next_start(parent: Path) -> None:
    """Each would stay until somebody looks into the temporary folder."""
    gone = left_by(parent, "gone", bound=True)
    mine = new_folder()
    assert not gone.exists()
    assert list(parent.iterdir()) == [mine]


def test_a_worker_that_lives_keeps_its_folder(parent: Path) -> None:
    """Whatever its process id is, and in whichever container it runs."""
    folder = left_by(parent, "lives", bound=False)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ZYGOTE))
        listener.listen()
        remove_left_over(parent)
        assert folder.exists()
    remove_left_over(parent)
    assert not folder.exists()


def test_a_worker_that_is_starting_keeps_its_folder(parent: Path) -> None:
    """It has no socket yet; after an hour it is none that starts."""
    folder = left_by(parent, "starts", bound=False)
    remove_left_over(parent)
    assert folder.exists()
    os.utime(folder, (0, 0))
    remove_left_over(parent)
    assert not folder.exists()


def test_what_is_not_ours_is_left_alone(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link, a file, another name, and a folder of another user."""
    gone = left_by(parent, "gone", bound=True)
    link, file, other = parent / "runbook-worker-link", parent / "runbook-worker-file", parent / "runbook-x"
    link.symlink_to(gone)
    file.write_text("")
    other.mkdir()
    os.utime(other, (0, 0))
    user = os.geteuid()
    with monkeypatch.context() as another:
        another.setattr(os, "geteuid", lambda: user + 1)
        remove_left_over(parent)
    assert gone.exists()
    remove_left_over(parent)
    assert sorted(path.name for path in parent.iterdir()) == [file.name, link.name, other.name]
