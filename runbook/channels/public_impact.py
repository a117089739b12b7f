"""The impact in words for the public."""

from collections.abc import Sequence
from enum import StrEnum

from runbook.public.areas import Affected


class PublicImpact(StrEnum):
    """What the public is told. A closed list, so that nothing internal can get into a public message."""

    DELAYED = "delayed analytics events and feature flags"
    FAILING = "missing analytics events and outdated feature flags"
    NONE_SEEN = "none_seen"
    OVER = "over"
    ARRIVING_LATE = "arriving_late"
    UNKNOWN = "unknown"

    def sentences(self, affected: Affected) -> str:
        """The template's "Some users may experience [specific impact].", or what is true instead.

        What users notice comes first, then where, then what shows no effect.
        """
        match self:
            case PublicImpact.OVER:
                return "Everything works normally again."
            case PublicImpact.ARRIVING_LATE:
                return "Some analytics events may still arrive late."
            case PublicImpact.NONE_SEEN:
                return "We currently see no effect on users."
            case PublicImpact.UNKNOWN:
                return "We do not know yet which users are affected."
            case PublicImpact.DELAYED:
                noticed = f"delayed {_listed([area.noun for area in affected.areas])}"
            case _:
                noticed = _listed([area.failing for area in affected.areas])
        where = f" Affected region: {_listed(affected.regions)}." if affected.regions else ""
        well = _listed([area.noun for area in affected.well])
        return f"Some users may experience {noticed}.{where}" + (
            f" We currently see no effect on {well}." if well else ""
        )

    @property
    def is_felt(self) -> bool:
        """Whether users may notice it in the affected areas."""
        return self in (PublicImpact.DELAYED, PublicImpact.FAILING)


def _listed(words: Sequence[str]) -> str:
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last
