"""The areas of PostHog's product that the public is told of: a closed list, so nothing internal gets out."""

from enum import StrEnum

from runbook.value import Value


class ProductArea(StrEnum):
    """A part of PostHog's product that users may miss. The values are keys of settings, and never change."""

    INGESTION = "ingestion"
    FEATURE_FLAGS = "feature_flags"
    SESSION_REPLAY = "session_replay"
    EXPERIMENTS = "experiments"
    SURVEYS = "surveys"
    INSIGHTS = "insights"

    @property
    def noun(self) -> str:
        """What users know it by."""
        return _NOUNS[self]

    @property
    def failing(self) -> str:
        """What users notice while it fails."""
        return f"{'outdated' if self in _OUTDATED else 'missing'} {self.noun}"


_NOUNS = {
    ProductArea.INGESTION: "analytics events",
    ProductArea.FEATURE_FLAGS: "feature flags",
    ProductArea.SESSION_REPLAY: "session recordings",
    ProductArea.EXPERIMENTS: "experiments",
    ProductArea.SURVEYS: "surveys",
    ProductArea.INSIGHTS: "reports",
}
_OUTDATED = (ProductArea.FEATURE_FLAGS, ProductArea.EXPERIMENTS, ProductArea.INSIGHTS)

OURS = (ProductArea.INGESTION, ProductArea.FEATURE_FLAGS)
"""What the integration is for: affected wherever nothing says more exactly what is."""


class Affected(Value):
    """What is affected. `regions` is empty where that is not known; `well` is what shows no effect."""

    areas: tuple[ProductArea, ...] = OURS
    regions: tuple[str, ...] = ()
    well: tuple[ProductArea, ...] = ()
