"""A run that is due again waits for its former process to end, but not for one that hangs."""

from uuid import UUID

from deployments.worker.still_ending import ENDING_SECONDS, StillEnding

ONE, OTHER = UUID(int=1), UUID(int=2)


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        """The present moment."""
        return self.now


def test_a_run_waits_until_its_former_process_is_gone() -> None:
    """Others do not wait for it."""
    ending = StillEnding()
    ending.began(ONE)
    assert ending.among({ONE, OTHER}) == {ONE}
    ending.ended(ONE)
    assert ending.among({ONE, OTHER}) == set()


def test_a_process_that_hangs_is_not_waited_for() -> None:
    """It counts from when the run was due: it may have worked for an hour before."""
    clock = Clock()
    ending = StillEnding(clock=clock)
    ending.began(ONE)
    clock.now = 3600.0
    assert ending.among({ONE}) == {ONE}
    clock.now += ENDING_SECONDS - 0.1
    assert ending.among({ONE}) == {ONE}
    clock.now += 0.2
    assert ending.among({ONE}) == set()


def test_each_time_that_it_is_due_counts_anew() -> None:
    """It was taken up by another worker in between."""
    clock = Clock()
    ending = StillEnding(clock=clock)
    ending.began(ONE)
    assert ending.among({ONE}) == {ONE}
    clock.now = 60.0
    assert ending.among(set()) == set()
    assert ending.among({ONE}) == {ONE}
