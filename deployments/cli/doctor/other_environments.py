"""Whether the other environments that the settings name can be responded for; `runbook doctor` tells."""

from typing import TYPE_CHECKING

from blocks.transport.errors import OutsideError
from deployments.cli.doctor.rows import CheckRow, State
from deployments.cli.doctor.systems import failed
from deployments.cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from deployments.settings.settings import Settings
    from runbook.policy.policy import Policy


async def other_environments(config: "Path | None") -> list[CheckRow]:
    """A row for each of them."""
    from deployments.cli.sources import read_settings

    if config is None:
        return []
    settings = read_settings(config, systems=False)
    names = sorted({*settings.routing.elsewhere.values()})
    return [await _row(name, config, settings) for name in names]


async def _row(name: str, config: "Path", settings: "Settings") -> CheckRow:
    from deployments.cli.prefect_settings import chosen_prefect
    from deployments.services.environments import load_environment

    system = f"environment {name}"
    try:
        with chosen_prefect(config):
            found = await load_environment(name, settings.store_url)
    except CommandError as error:
        return CheckRow(system, State.MISSING, error.problem, error.next_step)
    except OutsideError as error:
        return failed(system, error)
    services = ", ".join(sorted(key for key, where in settings.routing.elsewhere.items() if where == name))
    if _is_unheard(found.runbook_policy.policy, settings):
        detail = f"responds to {services}; its policy does not know this receiver's signing key"
        advice = "Add the public key of [receiver] signing_key to its [policy] receiver_keys"
        return CheckRow(system, State.WRONG, detail, advice)
    return CheckRow(system, State.OK, f"same store; alerts of {services} open incidents there")


def _is_unheard(theirs: "Policy", settings: "Settings") -> bool:
    """Whether what this receiver proves of people is a mere claim there."""
    ours = settings.policy.receiver_keys if settings.receiver.signing_key is not None else ()
    return bool(ours) and not set(ours) & set(theirs.receiver_keys)
