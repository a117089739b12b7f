"""The parameters of flows, which anybody may type into Prefect's form: checked without quoting them.

Prefect's own check would write the beginning of a wrong value into the run's state and log, where half a
token no longer has a shape that masking knows. Its database keeps what was typed, as it was typed.
"""

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect.runtime import flow_run
from prefect.states import Failed
from pydantic import ConfigDict, ValidationError, validate_call

from blocks.transport.errors import OutsideError
from runbook.alerts.sources.reading import first_mistake
from runbook.approvals.gates import InvalidAnswer
from runbook.outside_text import let_in_line

MAX_RUN_NAME = 200
MAX_REFUSAL = 1000

GivenT = ParamSpec("GivenT")
ResultT = TypeVar("ResultT")


def checked(
    flow: Callable[GivenT, Coroutine[Any, Any, ResultT]],
) -> Callable[GivenT, Coroutine[Any, Any, ResultT]]:
    """A flow's function that checks its parameters; put `validate_parameters=False` before it.

    Raises:
        ValidationError: a parameter has the wrong type; it names the parameter and what it should be.
    """
    config = ConfigDict(hide_input_in_errors=True, arbitrary_types_allowed=True)
    validated: Any = validate_call(config=config)(flow)
    signature = inspect.signature(flow)

    @wraps(flow)
    async def by_name(*args: GivenT.args, **kwargs: GivenT.kwargs) -> ResultT:
        """Prefect passes parameters by position, and an error would say their numbers."""
        result: ResultT = await validated(**signature.bind(*args, **kwargs).arguments)
        return result

    return by_name


def refusing(
    flow: Callable[GivenT, Coroutine[Any, Any, ResultT]],
) -> Callable[GivenT, Coroutine[Any, Any, ResultT]]:
    """A flow's function whose refusals end the run as failed with one line in its state and its log.

    What a person has typed wrong is no fault of the program, so there is no traceback to read through.
    """

    @wraps(flow)
    async def told(*args: GivenT.args, **kwargs: GivenT.kwargs) -> Any:
        """Prefect takes a state that a flow returns for the run's own."""
        try:
            return await flow(*args, **kwargs)
        except (KeyError, IndexError):
            raise
        except LookupError as error:  # no incident has this id
            why = f"{error}: give the id of one, as `runbook incidents` lists them"
        except ValidationError as error:
            why = first_mistake(error)
        except (InvalidAnswer, OutsideError) as error:
            why = str(error)
        return Failed(message=let_in_line(why, MAX_REFUSAL))

    return told


def run_name(template: str) -> Callable[[], str]:
    """What a run is called, made of its parameters, each masked: `{service}: {summary}`."""

    def name() -> str:
        given = {key: let_in_line(str(value), MAX_RUN_NAME) for key, value in flow_run.parameters.items()}
        return let_in_line(template.format(**given), MAX_RUN_NAME)

    return name
