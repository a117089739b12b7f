"""The flow run that this process works for."""

from uuid import UUID

from prefect.context import FlowRunContext


def flow_run_id() -> UUID:
    """The id of the flow run.

    Raises:
        RuntimeError: there is none; a response suspends and resumes, so it needs a deployment's run.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("respond works on behalf of a flow run: start it through its deployment")
    return context.flow_run.id
