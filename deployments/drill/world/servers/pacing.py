"""Rate limits as token buckets, and a fixed share of calls that does not depend on luck."""


class Bucket:
    """A token bucket: ``rate`` tokens a second, at most ``burst`` of them kept."""

    def __init__(self, rate: float, burst: float) -> None:
        """Start full."""
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def take(self, now: float) -> float:
        """Take a token at ``now`` (seconds, any epoch); return 0, or the seconds until there is one."""
        if self._filled_at is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate


class Share:
    """Picks a given share of calls evenly: of ten calls at 0.3 exactly three, well spread.

    Even and repeatable, so that a drill's error rate does not depend on luck.
    """

    def __init__(self) -> None:
        """Start with nothing owed."""
        self._owed = 0.0

    def picks(self, share: float) -> bool:
        """Say whether the next call belongs to the share (0 to 1)."""
        self._owed += share
        if self._owed >= 1 - 1e-9:
            self._owed -= 1
            return True
        return False
