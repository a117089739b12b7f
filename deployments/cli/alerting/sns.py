"""`runbook alerts confirm-sns`: a person confirms a subscription of Amazon SNS that the receiver has kept."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import FileOption, JsonOption, Switch
from deployments.cli.output import ask, print_json, write

if TYPE_CHECKING:
    from deployments.receiver.sources.confirmations import KeptConfirmation

ANSWER_SECONDS = 15.0
_YES = ("y", "yes")


async def confirm_sns(
    topic: Annotated[
        str | None, Parameter(help="The topic, or the end of its name; needed if several ask.")
    ] = None,
    /,
    *,
    yes: Switch = False,
    forget: Switch = False,
    config: FileOption = None,
    json: JsonOption = False,
) -> int:
    """Confirm the subscription of an SNS topic to the receiver: shows the address, asks, and calls it.

    SNS sends no alert before that. The receiver keeps what SNS asks and never calls it by itself. Only
    addresses of https://sns.REGION.amazonaws.com/ can be called.

    Parameters
    ----------
    yes
        Do not ask.
    forget
        Drop the request instead: nobody wants this topic.
    """
    from deployments.cli.sources import read_settings
    from deployments.receiver.sources.confirmations import Confirmations
    from deployments.settings.settings import find_config

    path = find_config(config)
    if path is None:
        advice = "give --config FILE or set RUNBOOK_CONFIG"
        raise CommandError("there is no settings file", advice, code=ExitCode.USAGE)
    kept = Confirmations(read_settings(path, systems=False).confirmations_folder)
    chosen = _chosen(kept.all(), topic)
    if forget:
        kept.forget(chosen)
        return _told(chosen, "forgotten", json=json)
    if not (yes or _agreed(chosen, json=json)):
        raise CommandError("nothing was confirmed", "run it again when you know the topic")
    await _call(chosen.confirmation.url)
    kept.forget(chosen)
    return _told(chosen, "confirmed", json=json)


def _chosen(kept: "list[KeptConfirmation]", topic: str | None) -> "KeptConfirmation":
    found = [one for one in kept if topic is None or one.confirmation.topic.endswith(topic)]
    if not found:
        which = "SNS topic" if topic is None else f"topic that ends in {topic!r}"
        advice = "subscribe the receiver's address to the topic first; run this on the receiver's machine"
        raise CommandError(f"no {which} asks to be confirmed", advice, code=ExitCode.NOTHING)
    if len(found) > 1:
        names = ", ".join(sorted(one.confirmation.topic for one in found))
        raise CommandError(f"several topics ask: {names}", "name one of them", code=ExitCode.USAGE)
    return found[0]


def _agreed(chosen: "KeptConfirmation", *, json: bool) -> bool:
    """Show what would be called, and ask whoever is at the terminal."""
    if json or not sys.stdin.isatty():
        advice = "look at the topic and give --yes"
        raise CommandError(
            f"{_address(chosen)} is confirmed only if somebody says so", advice, code=ExitCode.USAGE
        )
    own = chosen.confirmation
    write(f"Topic:    {own.topic}")
    write(f"Source:   {chosen.source}, asked at {chosen.asked_at:%Y-%m-%d %H:%M} UTC")
    write(f"Address:  {_address(chosen)}")
    if own.unsubscribed:
        write("The subscription was ended; this would subscribe the receiver again.")
    try:
        return ask("Call it? [y/N] ").strip().casefold() in _YES
    except EOFError:
        return False


def _address(chosen: "KeptConfirmation") -> str:
    """Without its token: whoever has it can confirm."""
    return f"{chosen.confirmation.url.partition('?')[0]}?Action=ConfirmSubscription&…"


async def _call(url: str) -> None:
    from blocks.transport.http import exchange

    token = url.partition("Token=")[2].partition("&")[0]
    answer = await exchange("Amazon SNS", "GET", url, timeout_seconds=ANSWER_SECONDS, secrets=(token,))
    if answer.status_code != 200:
        advice = "if its token has expired, have SNS ask again (request confirmation)"
        raise CommandError(f"Amazon SNS answered {answer.status_code}", advice)


def _told(chosen: "KeptConfirmation", what: str, *, json: bool) -> int:
    own = chosen.confirmation
    if json:
        print_json({"topic": own.topic, "source": chosen.source, "result": what})
    else:
        write(f"{own.topic}: {what}")
    return ExitCode.OK
