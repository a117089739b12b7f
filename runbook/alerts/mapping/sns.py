"""What Amazon SNS sends besides notifications: a subscription has to be confirmed by a GET of an address.

A person does that, see `runbook alerts confirm-sns`: whoever may send to the receiver could otherwise make it
call any address. Source: "HTTP/HTTPS subscription confirmation JSON format" in SNS' documentation.
"""

import re
from typing import Any
from urllib.parse import parse_qs

from pydantic import BaseModel

from runbook.alerts.sources.reading import Text, UnreadablePayload, parsed, storable
from runbook.outside_text import OutsideName
from runbook.value import Value

_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?")
_ADDRESS = re.compile(r"https://(?P<host>[a-z0-9.-]+)/(?P<rest>\?[A-Za-z0-9%&=:._~+-]{1,2000})")
_ASKED = {"Action", "TopicArn", "Token", "AuthenticateOnUnsubscribe"}
_ASKS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


class _Sent(BaseModel):
    type: Text
    topic: Text
    url: Text


class Confirmation(Value):
    """A topic that asks to be confirmed. `unsubscribed` says that the address would subscribe it again."""

    topic: OutsideName
    url: str
    unsubscribed: bool = False


class ConfirmationWanted(UnreadablePayload):
    """The message is about the subscription, and not about an alert."""

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__("SNS asks to confirm a subscription")
        self.confirmation = confirmation


def require_no_confirmation(payload: Any) -> None:
    """Do nothing if the payload is a notification.

    Raises:
        ConfirmationWanted: it asks for a confirmation.
        UnreadablePayload: it does so with an address that is none of SNS.
    """
    if not isinstance(payload, dict) or payload.get("Type") not in _ASKS or "SubscribeURL" not in payload:
        return
    fields = storable(payload)
    given = {"type": fields["Type"], "topic": fields.get("TopicArn"), "url": fields["SubscribeURL"]}
    sent = parsed(_Sent, given)
    if not confirms(sent.url, sent.topic):
        raise UnreadablePayload(
            "SubscribeURL: not an address of https://sns.REGION.amazonaws.com/ that confirms this topic"
        )
    unsubscribed = sent.type == "UnsubscribeConfirmation"
    raise ConfirmationWanted(Confirmation(topic=sent.topic, url=sent.url, unsubscribed=unsubscribed))


def confirms(url: str, topic: str) -> bool:
    """Whether it is `https://sns.REGION.amazonaws.com/?…`, and confirms a subscription to that topic only.

    A person is shown the topic: another one, or another act of SNS, is none that they have said yes to.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None or _HOST.fullmatch(found["host"]) is None:
        return False
    asked = parse_qs(found["rest"][1:], keep_blank_values=True)
    one = asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [topic]
    return one and len(asked.get("Token", [])) == 1 and asked.keys() <= _ASKED
