"""A storm of alerts does not make all its responses begin at once; nothing else is held up by it."""

from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun

from deployments.worker.start_pace import BEGINNING_SECONDS, StartPace


class Clock:
    """A clock that stands until it is put forward."""

    seconds = 0.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The clock of the pace under test."""
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> StartPace:
    """Two at once."""
    return StartPace(2, clock=clock)


def run(*, run_count: int = 0, auto_scheduled: bool = False) -> FlowRun:
    """A run that is due."""
    return FlowRun(id=uuid4(), flow_id=UUID(int=0), run_count=run_count, auto_scheduled=auto_scheduled)


def test_only_so_many_begin_at_once_in_their_order(pace: StartPace) -> None:
    """The others wait, however often it is asked, and one that was let begin is not counted twice."""
    storm = [run() for _ in range(5)]
    assert pace.begin(storm) == {each.id for each in storm[2:]}
    assert pace.begin(storm) == {each.id for each in storm[2:]}


def test_the_next_begins_when_one_has_ended(pace: StartPace) -> None:
    """A response that sleeps at its question has left its process."""
    first, second, third, fourth = [run() for _ in range(4)]
    pace.begin([first, second])
    pace.ended(first.id)
    pace.ended(first.id)
    assert pace.begin([third, fourth]) == {fourth.id}


def test_the_next_begins_when_one_has_had_its_time(pace: StartPace, clock: Clock) -> None:
    """One that goes on for long, since it watches a recovery, keeps nobody from beginning."""
    pace.begin([run(), run()])
    later = run()
    clock.seconds = BEGINNING_SECONDS - 1
    assert pace.begin([later]) == {later.id}
    clock.seconds = BEGINNING_SECONDS
    assert pace.begin([later]) == set()


def test_what_goes_on_and_what_is_on_a_schedule_neither_waits_nor_counts(pace: StartPace) -> None:
    """Somebody has answered and waits; the watchdog and the reminders look after all the others."""
    answered, watchdog = run(run_count=1), run(auto_scheduled=True)
    first, second = run(), run()
    assert pace.begin([answered, watchdog, first, second]) == set()
    assert pace.begin([answered, watchdog, run()]) != set()
