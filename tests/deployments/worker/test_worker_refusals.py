"""A run chooses nothing: neither how its process is started nor which code it runs."""

import json
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling

from blocks.store.own_store import VARIABLE
from tests.deployments.worker_bench import FLOWS, Bench

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def test_a_run_chooses_nothing_about_its_process(bench: Bench) -> None:
    """Neither its own job variables nor its deployment's count, though the pool's template would take them.

    The pool has the template of an earlier release. A line says what was ignored.
    """
    ran = bench.folder / "ran"
    chosen: dict[str, Any] = {
        "command": f"touch {ran}",
        "env": {
            VARIABLE: "mine",
            "INJECTED": "yes",
            "PREFECT__FLOW_ENTRYPOINT": "os.getcwd",
            "PYTHONPATH": str(bench.folder),
        },
        "working_dir": str(bench.folder),
        "stream_output": False,
        "labels": {"injected": "yes"},
    }
    await bench.change_deployment(job_variables=chosen)
    run = await bench.start_run(**chosen)
    assert (await bench.ends(run)).is_completed()
    assert not ran.exists()
    seen = bench.seen()
    assert "INJECTED" not in seen["environment"]
    assert seen["environment"].get(VARIABLE) != "mine"
    assert seen["environment"]["PYTHONPATH"] == str(FLOWS)
    assert seen["folder"] != str(bench.folder)
    [told] = bench.told(run)
    assert told.endswith(
        "its job variables are ignored: 'command', 'env', 'labels', 'stream_output', 'working_dir'"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"entrypoint": "{folder}/code.py:evil"}, "does not belong to the runbook"),
        ({"entrypoint": "os.getcwd"}, "does not belong to the runbook"),
        (
            {
                "pull_steps": [
                    {"prefect.deployments.steps.run_shell_script": {"script": "touch {folder}/ran"}}
                ]
            },
            "has pull steps",
        ),
    ],
    ids=["a file", "a module", "pull steps"],
)
async def test_a_run_of_foreign_code_is_refused(bench: Bench, changes: dict[str, Any], told: str) -> None:
    """It fails with the reason, nothing of it is run, and the worker goes on with what is ours."""
    lines = (
        "import pathlib, prefect",
        f"pathlib.Path('{bench.folder}/ran').touch()",
        "evil = prefect.flow(lambda: None)",
    )
    (bench.folder / "code.py").write_text("\n".join(lines))
    ours = await bench.start_run()
    assert (await bench.ends(ours)).is_completed()
    foreign = json.loads(json.dumps(changes).replace("{folder}", str(bench.folder)))
    await bench.change_deployment(**foreign)
    run = await bench.start_run()
    state = await bench.ends(run)
    assert (state.type, state.name) == (StateType.FAILED, "Refused")
    assert told in (state.message or "")
    assert not (bench.folder / "ran").exists()
    assert len(bench.told(run)) == 1

    await bench.change_deployment(entrypoint="worker_probe.probe", pull_steps=[])
    assert (await bench.ends(await bench.start_run())).is_completed()


async def test_a_deployment_that_is_changed_meanwhile_changes_nothing(bench: Bench) -> None:
    """Prefect would read it again when the run is cancelled, and run its steps in the worker itself."""
    run = await bench.start_run(seconds=120)
    engine = await bench.engine()
    script = f"touch {bench.folder / 'ran'}"
    await bench.change_deployment(
        pull_steps=[{"prefect.deployments.steps.run_shell_script": {"script": script}}]
    )
    await bench.client.set_flow_run_state(run, Cancelling())
    assert (await bench.ends(run)).is_cancelled()
    assert await bench.is_gone(engine)
    assert not (bench.folder / "ran").exists()
