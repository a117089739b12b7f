"""The hand-over packet in Slack's markup: the same as the page, in sections that a message has room for."""

from collections.abc import Iterable

from runbook.channels.wording import sentence_case
from runbook.handover.packet import Packet
from runbook.outside_text.slack import SlackText, slack, slack_code


def packet_in_slack(packet: Packet) -> SlackText:
    """The packet; an empty line begins another section. Every text in it is masked and escaped."""
    roles = [f"{sentence_case(role)}: {slack(name or 'nobody')}" for role, name in packet.roles.items()]
    working = ", ".join(packet.acknowledged_by) or "nobody has acknowledged it"
    changed = [
        f"{change.title} on {change.target}: {change.outcome}; "
        f"to undo: {change.undo or 'there is nothing to undo'}"
        for change in packet.done
    ]
    links = [f"{sentence_case(name)}: {slack_code(where)}" for name, where in packet.links.items()]
    asks = [f"Waits for a person: {packet.asks}"] if packet.asks else []
    sections = [
        [f"*Hand-over of {slack(packet.incident)}: {slack(packet.service)}*", *_standing(packet)],
        ["*Who*", *roles, f"Working on it: {slack(working)}"],
        [
            "*Open*",
            *_listed([*asks, *packet.pages], "Nothing waits for a person."),
        ],
        ["*Changed*", *_listed(changed, "Nothing was changed.")],
        ["*Promised and next*", *_listed(map(sentence_case, packet.promises), "Nothing is promised.")],
        ["*Notes*", *_listed(packet.notes, "Nobody has written a note.")],
        ["*Links*", *links, f"All of it: {slack_code(f'runbook incident {packet.incident} --full')}"],
    ]
    return SlackText("\n\n".join("\n".join(lines) for lines in sections))


def _standing(packet: Packet) -> list[str]:
    told = {
        "State": packet.state,
        "Severity": packet.severity,
        "Verdict": packet.verdict,
        "Because": "; ".join(packet.because),
        "Response": packet.response,
        "Now": sentence_case(packet.now_doing),
    }
    return [f"{name}: {slack(text)}" for name, text in told.items() if text]


def _listed(lines: Iterable[str], otherwise: str) -> list[str]:
    return [f"- {slack(line)}" for line in lines] or [otherwise]
