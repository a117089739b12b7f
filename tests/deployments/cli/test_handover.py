"""`runbook handover`: what the next lead has to know, on the machine of the store."""

import json

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents import events as e
from runbook.incidents.people import lead_of
from tests.deployments.cli_store import Store
from tests.runbook.journals import decided

Capture = pytest.CaptureFixture[str]


def test_the_lead_goes_over_with_the_packet(store: Store, capsys: Capture) -> None:
    """The packet names the new lead already, and is all that stands on standard output."""
    incident = store.open("0001", (decided(), e.LeadAssigned(lead="ana", by="ana")))
    assert main(["handover", incident]) == ExitCode.OK
    assert "**Lead:** ana" in capsys.readouterr().out
    assert main(["handover", incident, "--to", "bob", "--json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["roles"]["lead"] == "bob"
    assert "bob" in err
    assert lead_of(store.read(incident)) == "bob"


def test_nobody_is_no_lead(store: Store, capsys: Capture) -> None:
    """Nothing is handed over, and nothing printed."""
    incident = store.open("0001", (decided(),))
    assert main(["handover", incident, "--to", " "]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""
    assert lead_of(store.read(incident)) is None
