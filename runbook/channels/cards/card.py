"""A message that is changed where it stands, and that may have buttons."""

from dataclasses import dataclass

from runbook.channels.buttons import Button
from runbook.channels.messages import Message


@dataclass(frozen=True)
class Card(Message):
    """A message with buttons. A channel that has none leaves them out: the text says how else to answer."""

    buttons: tuple[Button, ...] = ()
