"""A state that is told on a person's word is read from elsewhere, as the receiver's policy takes it."""

import json

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened

Capture = pytest.CaptureFixture[str]


def test_a_state_on_a_persons_word_is_read_from_elsewhere(elsewhere: Store, capsys: Capture) -> None:
    """As the receiver's policy takes it, which this machine does not know."""
    said = e.StateForced(
        state="MONITORING", by="ana", because="they rolled\nback", identity=Identity(name="ana")
    )
    forged = said.model_copy(update={"by": "an\u0430", "because": "nothing"})
    incident = opened(elsewhere, *asking(ROLL_BACK), said, forged)
    for full in ((), ("--full",)):
        assert main(["incident", incident, *full]) == ExitCode.OK
        head = " ".join(capsys.readouterr().out.partition("\n\n")[0].split())
        assert "told: MONITORING, said by ana: they rolled back; not proved by the runbook" in head
    assert main(["incident", incident, "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)["told"]
    assert told == "MONITORING, said by ana: they rolled back; not proved by the runbook"
