"""How a socket stands is told: for how long it is down, and why."""

from prometheus_client import CollectorRegistry, Gauge

from deployments.receiver.slack.socket_mode.standing import Standing


class Clock:
    """A clock that stands until it is set."""

    at = 0.0

    def __call__(self) -> float:
        """What it shows, in seconds."""
        return self.at


def standing(clock: Clock) -> tuple[Standing, Gauge]:
    """A socket that was not opened yet."""
    up = Gauge("up", "whether", registry=CollectorRegistry())
    return Standing(up, clock), up


def _value(up: Gauge) -> float:
    return next(sample.value for metric in up.collect() for sample in metric.samples)


def test_how_long_a_socket_is_down_is_told_in_minutes() -> None:
    """From the first failure, whatever fails later; from the start where it never was open."""
    clock = Clock()
    socket, up = standing(clock)
    assert (socket.told, _value(up)) == ("not connected yet", 0)
    clock.at = 200
    assert socket.told == "not connected yet (down for 3 min)"
    socket.opened()
    assert (socket.told, _value(up)) == ("connected", 1)
    clock.at = 1_000
    assert socket.told == "connected"
    socket.down("Slack: ratelimited")
    assert (socket.told, _value(up)) == ("not connected: Slack: ratelimited", 0)
    clock.at = 1_310
    socket.down("Slack: invalid_auth")
    assert socket.told == "not connected: Slack: invalid_auth (down for 5 min)"


def test_a_renewal_is_no_time_down() -> None:
    """Slack takes clicks over the old socket until the next one is open."""
    clock = Clock()
    socket, up = standing(clock)
    socket.opened()
    socket.renewing("refresh_requested")
    clock.at = 500
    assert (socket.told, _value(up)) == ("renewing: refresh_requested", 1)
    socket.down()
    clock.at = 560
    assert socket.told == "renewing: refresh_requested (down for 1 min)"
