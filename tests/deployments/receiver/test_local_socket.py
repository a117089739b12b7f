"""The receiver's local socket: only our user may connect, and whoever does is seen as who they are."""

import asyncio
import grp
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from deployments.receiver.connections.local_socket import PEER, LocalSocket, Peer, SocketInUse, is_socket
from deployments.receiver.connections.server import DoorServer
from deployments.receiver.metrics import ReceiverMetrics
from tests.conftest import require_binary

DAEMON = 1
"""An account of every Linux that is not ours."""


def mode(path: Path) -> int:
    """The permissions of what is there."""
    return stat.S_IMODE(path.lstat().st_mode)


def test_only_our_user_may_connect(tmp_path: Path) -> None:
    """The folder and the file are ours alone from their first moment, and the file is gone afterwards."""
    path = tmp_path / "state" / "receiver.sock"
    with LocalSocket(path):
        assert is_socket(path)
        assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert list(path.parent.iterdir()) == []


def test_a_group_can_be_let_in(tmp_path: Path) -> None:
    """Its members may connect, and get through a folder that was made for it."""
    path = tmp_path / "state" / "receiver.sock"
    group = os.getgroups()[0] if os.geteuid() else DAEMON
    with LocalSocket(path, group=group_name(group)):
        assert (mode(path), path.lstat().st_gid) == (0o660, group)
        assert (mode(path.parent), path.parent.stat().st_gid) == (0o710, group)


def group_name(number: int) -> str:
    """The name of a group."""
    return grp.getgrgid(number).gr_name


def test_a_group_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing is opened to anybody instead."""
    with (
        pytest.raises(OSError, match="there is no group 'nobody-knows-it'"),
        LocalSocket(tmp_path / "s", group="nobody-knows-it"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_receiver_has_left_is_taken_over(tmp_path: Path) -> None:
    """Nobody listens there any more."""
    path = tmp_path / "receiver.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert is_socket(path)
    with LocalSocket(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_receiver_that_listens_is_left_alone(tmp_path: Path) -> None:
    """The second one has no socket; when it goes, that of the first stays."""
    path = tmp_path / "receiver.sock"
    with LocalSocket(path):
        with pytest.raises(SocketInUse, match="another receiver listens on"), LocalSocket(path):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_the_socket_of_a_later_receiver_is_left_alone(tmp_path: Path) -> None:
    """Whoever goes removes its own file only."""
    path = tmp_path / "receiver.sock"
    with LocalSocket(path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as later:
            later.bind(str(path))
    assert is_socket(path)


@pytest.mark.parametrize("kind", ["file", "link to a file", "link to nothing", "link to a socket", "folder"])
def test_nothing_but_a_socket_is_replaced(kind: str, tmp_path: Path) -> None:
    """A link leads nowhere: neither is its target removed, nor is anything made there."""
    path, target = tmp_path / "receiver.sock", tmp_path / "target"
    match kind:
        case "file":
            path.write_text("kept")
        case "folder":
            path.mkdir()
        case "link to a socket":
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(str(target))
            path.symlink_to(target)
        case _:
            if kind == "link to a file":
                target.write_text("kept")
            path.symlink_to(target)
    before = sorted(item.name for item in tmp_path.iterdir())
    with pytest.raises(OSError, match="is not a socket of the runbook: remove it"), LocalSocket(path):
        pass
    assert sorted(item.name for item in tmp_path.iterdir()) == before
    assert not is_socket(path)


@pytest.mark.parametrize("permissions", [0o777, 0o770, 0o702])
def test_a_folder_in_which_others_can_replace_the_file_is_refused(permissions: int, tmp_path: Path) -> None:
    """Else somebody could take the receiver's place."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(permissions)
    with pytest.raises(OSError, match="other users can replace files in"), LocalSocket(folder / "s"):
        pass
    assert list(folder.iterdir()) == []


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """An address has room for a hundred letters; state folders can be deeper."""
    path = tmp_path / ("deep" * 20) / ("deeper" * 20) / "receiver.sock"
    assert len(str(path)) > 200
    with LocalSocket(path):
        assert is_socket(path)


async def told(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers with the peer that it was told."""
    if scope["type"] != "http":
        return
    await receive()
    peer: Peer | None = scope["state"].get(PEER)
    body = f"{peer.uid if peer else None}".encode()
    length = (b"content-length", f"{len(body)}".encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(path: Path, places: int = 16) -> AsyncIterator[int]:
    """Both listeners in one server; yields the port of the other one."""
    config = uvicorn.Config(told, lifespan="off", log_config=None)
    server = DoorServer(config, places=places, most_body_bytes=1024, metrics=ReceiverMetrics())
    with LocalSocket(path) as local, socket.create_server(("127.0.0.1", 0)) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener, local.listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


CLIENT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(b"GET / HTTP/1.0\\r\\nx-peer: 0\\r\\nstate: 0\\r\\n\\r\\n")
    print(client.makefile().read().splitlines()[-1])
"""


async def ask(path: Path, *before: str) -> str:
    """What a client in a process of its own is told, started by other commands."""
    command = [*before, "/usr/bin/env", "python3", "-I", "-c", CLIENT, str(path)]
    child = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    out, error = await child.communicate()
    return out.decode().strip() or error.decode()


async def test_the_kernel_tells_who_connects_and_the_client_does_not(tmp_path: Path) -> None:
    """Over the socket there is a peer, whatever the request says; over the network there is none."""
    path = tmp_path / "receiver.sock"
    async with serving(path) as port:
        assert await ask(path) == str(os.geteuid())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\nx-peer: 0\r\n\r\n")
        assert (await reader.read()).splitlines()[-1] == b"None"
        writer.close()


HALF = b"GET / HTTP/1.1\r\nx-note: "
WHOLE = b"GET / HTTP/1.1\r\nhost: r\r\n\r\n"


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["at once", "after a request"])
async def test_those_at_the_socket_keep_nobody_out_with_half_requests(tmp_path: Path, before: bytes) -> None:
    """Many more than there are places, of one account: an alert from the network and a person get in."""
    path = tmp_path / "receiver.sock"
    async with serving(path, places=8) as port:
        holders = []
        for _ in range(24):
            reader, writer = await asyncio.open_unix_connection(path)
            holders.append(writer)
            if before:
                writer.write(before)
                await reader.readuntil(b"\r\n\r\n")
            writer.write(HALF)
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(WHOLE)
            assert b" 200 " in await reader.readline()
            writer.close()
            assert await ask(path) == str(os.geteuid())
        for holder in holders:
            holder.close()


@pytest.mark.real
async def test_a_namespace_of_its_own_makes_nobody_else_of_a_process(tmp_path: Path) -> None:
    """`unshare --map-user` tells the process that it is another user; we see who it is."""
    unshare = require_binary("unshare")
    path = tmp_path / "receiver.sock"
    async with serving(path):
        as_daemon = [unshare, "--user", f"--map-user={DAEMON}"]
        if "not permitted" in (seen := await ask(path, *as_daemon)):
            pytest.skip(f"this machine lets nobody make a user namespace: {seen}")
        assert seen == str(os.geteuid())
        as_root = [unshare, "--user", "--map-root-user"]
        assert await ask(path, *as_root) == str(os.geteuid())


@pytest.mark.real
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_is_seen_as_that_user() -> None:
    """A member of the group, from within a namespace in which it is root."""
    setpriv, unshare = require_binary("setpriv"), require_binary("unshare")
    folder = Path("/tmp") / f"runbook-socket-{os.getpid()}"  # noqa: S108  a way that another user can go
    path = folder / "receiver.sock"
    other = [setpriv, f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups"]
    async with serving(path):
        os.chown(path, DAEMON, -1)
        folder.chmod(0o711)
        try:
            assert await ask(path, *other) == str(DAEMON)
            assert await ask(path, *other, unshare, "--user", "--map-root-user") == str(DAEMON)
        finally:
            os.chown(path, 0, -1)
    folder.rmdir()
