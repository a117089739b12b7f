"""The drill's mail server says what real ones say, at the limits of the protocol."""

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from typing import TypeVar

import pytest

from deployments.drill.world.channels.mail import MOST_BYTES, MOST_READERS, SmtpServer, smtp_listening
from deployments.drill.world.faults import MailFaults

Told = TypeVar("Told")

LOGIN = ("runbook", "pass-word")
SENDER, ANA, BOB = "runbook@example.com", "ana@example.com", "bob@example.com"


@pytest.fixture
async def server() -> AsyncIterator[SmtpServer]:
    """A server that takes e-mails from who has logged in."""
    async with smtp_listening(SmtpServer(login=LOGIN)) as found:
        yield found


def mail(body: str = "all down") -> bytes:
    """An e-mail."""
    message = EmailMessage()
    message["From"], message["Subject"], message["X-Runbook-Effect"] = SENDER, "P1", "inc/email/state-1"
    message.set_content(body)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


async def with_client(
    server: SmtpServer, talk: Callable[[smtplib.SMTP], Told], *, login: bool = True
) -> Told:
    """What comes of it when Python's own client talks to the server."""

    def talking() -> Told:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=2) as client:
            if login:
                client.login(*LOGIN)
            return talk(client)

    return await asyncio.to_thread(talking)


async def test_an_email_is_taken_once(server: SmtpServer) -> None:
    """With its readers, its subject and the effect that it names."""
    await with_client(server, lambda client: client.sendmail(SENDER, [ANA, BOB], mail()))
    [taken] = server.taken
    assert (taken.sender, taken.readers) == (SENDER, [ANA, BOB])
    assert (taken.subject, taken.text, taken.effect) == ("P1", "all down", "inc/email/state-1")


async def test_nobody_sends_without_a_login(server: SmtpServer) -> None:
    """530 for who shows none, 535 for a wrong one or what is none at all."""
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()), login=False)
    assert refused.value.smtp_code == 530
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        await with_client(server, lambda client: client.login("runbook", "wrong"), login=False)
    said = await with_client(server, lambda client: client.docmd("AUTH", "PLAIN !!!"), login=False)
    assert said[0] == 535
    assert server.taken == []


async def test_an_email_that_is_too_large_is_refused_before_it_is_sent(server: SmtpServer) -> None:
    """By SIZE at MAIL, and by what comes where a client does not say its size: 552."""
    large = mail("".join("x" * 70 + "\n" for _ in range(MOST_BYTES // 70)))
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await with_client(server, lambda client: client.sendmail(SENDER, [ANA], large))
    assert refused.value.smtp_code == 552

    def without_its_size(client: smtplib.SMTP) -> int:
        client.mail(SENDER)
        client.rcpt(ANA)
        return client.data(large)[0]

    assert await with_client(server, without_its_size) == 552
    assert server.taken == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Subject: P1\r\n\r\nhi", 550),
        (b"From: a@example.com\r\nFrom: b@example.com\r\n\r\nhi", 550),
        (b"From: a@example.com\r\nSubject: 1\r\nSubject: 2\r\n\r\nhi", 550),
        (b"From: a@example.com\r\nno header at all\r\n\r\nhi", 550),
        (b"From: a@example.com\r\nContent-Type: multipart/mixed\r\n\r\nhi", 550),
        (b"From: a@example.com\r\nContent-Transfer-Encoding: base64\r\n\r\n!", 550),
        ("From: a@example.com\r\n\r\nh\u00ef".encode(), 554),
        (b"From: a@example.com\r\n\r\nh\0i", 554),
        (b"From: a@example.com\r\n\r\nx\n.\nMAIL FROM:<evil@example.com>", 521),
        (b"From: a@example.com\r\n\r\nx\ry", 521),
        (b"From: a@example.com\r\n\r\n" + b"x" * 999, 500),
        (b"From: a@example.com\r\n\r\n" + b"x" * 998, 250),
        (b"From: a@example.com\r\n\r\n..hi", 250),
    ],
)
async def test_an_email_that_no_server_takes_is_refused(
    content: bytes, code: int, server: SmtpServer
) -> None:
    """Headers that are missing, twice or none; what is no MIME; 8 bits that nobody has announced; line ends
    by which another e-mail could be smuggled in.
    """

    def raw(client: smtplib.SMTP) -> int:
        client.mail(SENDER)
        client.rcpt(ANA)
        client.docmd("DATA")
        client.send(content + b"\r\n.\r\n")
        return client.getreply()[0]

    assert await with_client(server, raw) == code
    assert len(server.taken) == (1 if code == 250 else 0)


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["MAIL FROM:<a@example.com>"], 503),
        (["EHLO x", "RCPT TO:<a@example.com>"], 503),
        (["EHLO x", "DATA"], 503),
        (["EHLO x", f"MAIL FROM:<{'a' * 65}@example.com>"], 501),
        (["EHLO x", "MAIL FROM:<a@example.com>", "RCPT TO:<a b@example.com>"], 501),
        (["EHLO x", "MAIL FROM:<a@example.com>", "RCPT TO:<a@-.com>"], 501),
        (["EHLO x", "NOOP " + "x" * 600], 500),
        (["EHLO x", "FROB"], 500),
        (["EHLO x", "NOOP"], 250),
    ],
)
async def test_a_command_out_of_order_or_bounds_is_refused(
    commands: list[str], code: int, server: SmtpServer
) -> None:
    """As RFC 5321 has it: 503 for the order, 501 for an address, 500 for what is too long or no command."""
    server.login = None

    def raw(client: smtplib.SMTP) -> int:
        return [client.docmd(command)[0] for command in commands][-1]

    assert await with_client(server, raw, login=False) == code


async def test_more_readers_than_one_email_may_have_are_refused(server: SmtpServer) -> None:
    """452 for each that is too many; the others get it."""
    readers = [f"r{number}@example.com" for number in range(MOST_READERS + 2)]
    refused = await with_client(server, lambda client: client.sendmail(SENDER, readers, mail()))
    assert [code for code, _ in refused.values()] == [452, 452]
    assert len(server.taken[0].readers) == MOST_READERS


async def test_who_is_not_known_is_told_to_come_again(server: SmtpServer) -> None:
    """450 while greylisted; the same sender is taken later."""
    server.faults = MailFaults(greylist_seconds=0.2)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()))
    assert refused.value.recipients[ANA][0] == 450
    await asyncio.sleep(0.25)
    await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()))
    assert len(server.taken) == 1


async def test_one_reader_of_two_is_refused(server: SmtpServer) -> None:
    """The other one gets it, which is what SMTP says."""
    server.refuses[f"RCPT {BOB}"] = "550 5.1.1 no such user"
    refused = await with_client(server, lambda client: client.sendmail(SENDER, [ANA, BOB], mail()))
    assert refused == {BOB: (550, b"5.1.1 no such user")}
    assert server.taken[0].readers == [ANA]


@pytest.mark.parametrize("mode", ["closed", "unavailable", "hanging"])
async def test_a_server_that_is_away_takes_nothing(mode: str, server: SmtpServer) -> None:
    """However it is away."""
    server.faults = MailFaults.model_validate({"mode": mode})
    with pytest.raises((OSError, smtplib.SMTPException)):
        await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()))
    assert server.taken == []


async def test_an_answer_that_is_lost_leaves_an_email_that_was_taken(server: SmtpServer) -> None:
    """Its sender cannot know."""
    server.faults = MailFaults(mode="lost")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()))
    assert len(server.taken) == 1


async def test_a_client_that_leaves_in_the_middle_sends_nothing(server: SmtpServer) -> None:
    """Half an e-mail is none, and the server serves the next client."""

    def leave(client: smtplib.SMTP) -> None:
        client.mail(SENDER)
        client.rcpt(ANA)
        client.putcmd("DATA")
        client.getreply()
        client.send("Subject: half\r\n")
        client.close()

    await with_client(server, leave)
    await with_client(server, lambda client: client.sendmail(SENDER, [ANA], mail()))
    assert [taken.subject for taken in server.taken] == ["P1"]
