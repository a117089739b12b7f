"""Look after the runs of open incidents: on a schedule, as a run whose process died cannot do it itself."""

from prefect import flow

from blocks.environment import Environment
from flows.current_run import flow_run_id
from flows.parameters import checked
from tasks.caretaking.watchdog import look_after, note_policies
from tasks.lease import exclusively


@flow(name="watchdog", flow_run_name="housekeeping: watchdog", validate_parameters=False)
@checked
async def watchdog(environment: str = "default") -> list[str]:
    """Continue runs that have stopped, start those that are missing, and page a person where that fails.

    Returns what was done, a sentence for each. The receiver does the same, in case no worker is left for it.

    Args:
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    async with exclusively(blocks, "watchdog", str(flow_run_id())) as ours:
        if not ours:
            return []
        await note_policies(blocks)
        return await look_after(blocks)
