"""The sentence of an event. Each file beside this one has those of the events of its subject."""

from functools import singledispatch

from runbook.value import Value


@singledispatch
def sentence(event: Value) -> str:
    """What an event means, as one sentence without a full stop.

    Raises:
        TypeError: nobody has written the sentence for this type of event.
    """
    raise TypeError(f"no sentence for {type(event).__name__}")
