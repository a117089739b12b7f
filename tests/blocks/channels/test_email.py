"""An e-mail goes to the readers of the settings and to nobody else, and no password is told."""

import asyncio
import base64
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from prefect.blocks.core import Block
from pydantic import SecretStr, ValidationError

from blocks.channels.channel import Post
from blocks.channels.notifications.email import Email
from blocks.channels.notifications.teams import Teams
from blocks.transport.errors import Refused, Unavailable
from deployments.drill.world.channels.mail import SmtpServer, smtp_listening

POST = Post(id="inc-1/email/opened", since=datetime(2026, 11, 22, tzinfo=UTC))
PASSWORD = "hunter2-hunter3"
PLAIN = base64.b64encode(f"\0runbook\0{PASSWORD}".encode()).decode()


def email(**other: Any) -> Email:
    """The settings, with one second for each step."""
    given = {"host": "127.0.0.1", "sender": "runbook@example.com", "to": ("team@example.com",)} | other
    return Email(security="none", timeout_seconds=1, **given)


@pytest.mark.parametrize(
    "address",
    [
        "team@example..com",
        "team@-example.com",
        "t\u00e4m@example.com",
        "team@ex\u00e4mple.com",
        "team@example.com\nBcc: all@example.com",
        "team@example.com\n",
        f"{'a' * 65}@example.com",
        f"team@{'a' * 64}.com",
    ],
)
@pytest.mark.parametrize("key", ["sender", "to", "support_to"])
def test_what_no_server_takes_as_an_address_is_refused(key: str, address: str) -> None:
    """Before an incident; a line break would begin another header."""
    with pytest.raises(ValidationError):
        email(**{key: address if key == "sender" else ("lead@example.com", address)})


async def test_every_reader_of_the_settings_gets_it_and_nobody_else() -> None:
    """Apprise's own address would make `neil@` of `o'neil@`, and drop others."""
    addresses = (
        *("o'neil@example.com", "team+@example.com", ".a@example.com", "t%41m@example.com", "root@localhost"),
        f"{'a' * 64}@{'b' * 63}.com",
        *(f"a{sign}b@mail.example.com" for sign in "!#$&*/=?^_`{|}~-+."),
    )
    async with smtp_listening(SmtpServer()) as server:
        for sender in addresses:
            block = email(port=server.port, sender=sender, to=addresses)
            await block.send("x", subject="x", post=POST, support=False)
        assert [each.sender for each in server.taken] == list(addresses)
        assert all(sorted(each.readers) == sorted(addresses) for each in server.taken)
        assert "Incident runbook" in server.taken[0].message["From"]


async def test_a_server_that_is_slow_at_every_step_holds_nobody_up() -> None:
    """Each answer comes in time, all of them together do not; what becomes of the e-mail is in doubt."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow\r\n")
        with suppress(ConnectionError):
            while await reader.readline():
                await asyncio.sleep(0.15)
                writer.write(b"250 ok\r\n")
        writer.close()

    async with await asyncio.start_server(slow, "127.0.0.1", 0) as listener:
        block = email(
            port=listener.sockets[0].getsockname()[1],
            to=tuple(f"a{number}@example.com" for number in range(20)),
        )
        block.timeout_seconds = 0.2
        with pytest.raises(Unavailable, match="longer than") as failed:
            await block.send("x", subject="x", post=POST, support=False)
    assert failed.value.may_have_landed


@pytest.mark.parametrize("host", ["smtp..example.com", f"{'a' * 70}.example.com"])
async def test_what_is_no_name_of_a_server_is_told(host: str) -> None:
    """Python fails at it before it asks anybody."""
    with pytest.raises(Refused, match="is no name of a server"):
        await email(host=host).try_out(support=False)


@pytest.mark.parametrize("key", ["username", "password"])
def test_a_login_that_nobody_can_log_in_with_is_a_mistake(key: str) -> None:
    """SMTP takes ASCII alone there, as Python speaks it; the password is not told."""
    with pytest.raises(ValidationError) as refused:
        email(**{key: "geheim\u00e4"})
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("before", range(270, 300))
async def test_a_password_in_an_answer_is_masked_before_that_is_cut(before: int) -> None:
    """Wherever it stands in it."""
    block = email(username="runbook", password=SecretStr(PASSWORD))
    failed = block._failure(f"Socket Exception: (535, b'{'x' * before} {PASSWORD} is wrong')")
    assert PASSWORD[:4] not in str(failed)


@pytest.mark.parametrize(
    "said", ["\0runbook\0{}", "runbook\0runbook\0{}", "{}"], ids=["plain", "as", "login"]
)
@pytest.mark.parametrize("cut", ["", "="])
async def test_a_login_that_a_server_repeats_is_masked(said: str, cut: str) -> None:
    """In the encoding in which it was sent; with the end of it or without."""
    block = email(username="runbook", password=SecretStr(PASSWORD))
    sent = base64.b64encode(said.format(PASSWORD).encode()).decode().rstrip(cut)
    failed = block._failure(f"Socket Exception: (535, b'5.7.8 cannot decode {sent}, try again')")
    assert sent.rstrip("=") not in str(failed)
    assert "try again" in str(failed)


async def test_a_login_that_the_server_repeats_is_told_to_nobody() -> None:
    """Through Python's own client, Apprise and the doctor."""
    server = SmtpServer()
    server.refuses["AUTH"] = f"535 5.7.8 cannot decode {PLAIN}"
    async with smtp_listening(server):
        block = email(port=server.port, username="runbook", password=SecretStr(PASSWORD))
        for attempt in (
            block.send("all down", subject="P1", post=POST, support=False),
            block.try_out(support=False),
        ):
            with pytest.raises(Refused) as refused:
                await attempt
            assert PLAIN not in str(refused.value)
            assert "cannot decode" in str(refused.value)


@pytest.mark.parametrize(
    ("block", "checksum", "form"),
    [
        (
            Email,
            "sha256:6422e05eac3dfb745a262d6804cf485a8d3924cb9aae91a48839144c1a7fbf8d",
            "host port security username password sender to support_to audiences templates timeout_seconds",
        ),
        (
            Teams,
            "sha256:e4fe12d34bdf10ab37b9bd15edb1338acf8cc657645b8da1429d564c659dac27",
            "url support_url audiences templates timeout_seconds",
        ),
    ],
)
def test_the_form_of_a_block_in_prefect_stays(block: type[Block], checksum: str, form: str) -> None:
    """A block that is saved by one release is read by the next; its fields keep their order."""
    assert block._calculate_schema_checksum() == checksum
    assert list(block.model_json_schema()["properties"]) == form.split()
