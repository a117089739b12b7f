"""A mapping: where in a sender's JSON the fields of an alert are, and what its words for a status mean."""

from typing import Annotated, Self

from pydantic import BeforeValidator, model_validator

from runbook.alerts.alert import AlertStatus
from runbook.alerts.mapping.paths import Paths
from runbook.alerts.sources.status_words import status_of
from runbook.decision.severity import Severity
from runbook.value import Value

ANY_OTHER = "*"
"""Among the ignored words: every status that has no other meaning."""


def _words(value: object) -> object:
    """One word or several; a number is what it is written as."""
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(
        str(word) if isinstance(word, int) and not isinstance(word, bool) else word for word in given
    )


StatusValues = Annotated[tuple[str, ...], BeforeValidator(_words)]


class AlertMapping(Value):
    """The paths of each field, see `runbook.alerts.mapping.paths`; the first that finds something counts.

    - `status`: without a path, every message says that the alert fires. `firing`, `acknowledged`, `resolved`
      and `ignored` are the sender's own values, in any case of letters; `*` among the ignored stands for all
      others. Common words, such as `ok` or `triggered`, are known.
    - `key`: what is the same in all messages about one alert, so that a recovery ends it.
    - `service`, `name`, `summary`, `severity`, `url`: texts. `severities` are what the sender's values for
      severities claim.
    - `started_at`, `ended_at`, `changed_at`: a time with its zone, or a number: seconds, milliseconds,
      microseconds or nanoseconds since 1970. With `times_are_utc` a time without a zone is UTC.
    - `delivery`: the sender's id of this message, the same when it is sent again.
    """

    status: Paths = ()
    firing: StatusValues = ()
    acknowledged: StatusValues = ()
    resolved: StatusValues = ()
    ignored: StatusValues = ()
    key: Paths = ()
    service: Paths = ()
    name: Paths = ()
    summary: Paths = ()
    severity: Paths = ()
    severities: dict[str, Severity] = {}
    url: Paths = ()
    started_at: Paths = ()
    ended_at: Paths = ()
    changed_at: Paths = ()
    times_are_utc: bool = False
    delivery: Paths = ()

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        meanings = (self.firing, self.acknowledged, self.resolved, self.ignored)
        known = [_folded(word) for words in meanings for word in words]
        if len(set(known)) != len(known):
            raise ValueError("a value is in two of firing, acknowledged, resolved and ignored")
        return self

    @model_validator(mode="after")
    def _messages_told_apart(self) -> Self:
        """A key as the message's id would make all but the first message of an alert a replay."""
        if both := [path for path in self.key if path in self.delivery]:
            raise ValueError(f"{both[0]} is in key and in delivery: a delivery is the id of one message")
        return self

    def over(self, other: "AlertMapping") -> "AlertMapping":
        """This mapping, with what it does not say from the other one."""
        said = {field: getattr(self, field) for field in self.model_fields_set}
        return other.model_copy(update=said)

    def meaning_of(self, value: str) -> AlertStatus | None:
        """What that status means; `None` where the message is none about an alert.

        Raises:
            LookupError: nobody has said what it means.
        """
        word = _folded(value)
        for status, words in (
            (AlertStatus.FIRING, self.firing),
            (AlertStatus.ACKNOWLEDGED, self.acknowledged),
            (AlertStatus.RESOLVED, self.resolved),
            (None, self.ignored),
        ):
            if word in map(_folded, words):
                return status
        if known := status_of(value):
            return known
        if ANY_OTHER in self.ignored:
            return None
        raise LookupError

    def claim_of(self, value: str) -> Severity | None:
        """What a severity of the sender's own claims."""
        own = {_folded(word): severity for word, severity in self.severities.items()}
        return own.get(_folded(value))


def _folded(word: str) -> str:
    return " ".join(word.casefold().split())
