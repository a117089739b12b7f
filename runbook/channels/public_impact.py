"""The impact in words for the public."""

from enum import StrEnum


class PublicImpact(StrEnum):
    """What the public is told. A closed list, so that nothing internal can get into a public message."""

    DELAYED = "delayed analytics events and feature flags"
    FAILING = "missing analytics events and outdated feature flags"
    NONE_SEEN = "none_seen"
    OVER = "over"
    ARRIVING_LATE = "arriving_late"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        """The template's "Some users may experience [specific impact].", or what is true instead."""
        match self:
            case PublicImpact.OVER:
                return "Everything works normally again."
            case PublicImpact.ARRIVING_LATE:
                return "Some analytics events may still arrive late."
            case PublicImpact.NONE_SEEN:
                return "We currently see no effect on users."
            case PublicImpact.UNKNOWN:
                return "We do not know yet which users are affected."
            case _:
                return f"Some users may experience {self.value}."
