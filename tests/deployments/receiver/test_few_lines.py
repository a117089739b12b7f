"""Strangers cannot fill the log: what they cause is written a few times, and counted from there on."""

import logging

import pytest

from deployments.receiver.connections import few_lines
from deployments.receiver.connections.few_lines import MOST, FewLines


def test_the_first_lines_are_written_and_the_rest_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand refusals within a moment are twenty lines, and one more when the next one comes later."""
    clock = 100.0
    monkeypatch.setattr(few_lines, "monotonic", lambda: clock)
    lines = FewLines(logging.getLogger("test"))
    for _ in range(1000):
        lines.log_event("request refused", level=logging.WARNING, status=401)
    assert [record.message for record in caplog.records] == ["request refused"] * MOST
    clock += 11
    lines.log_event("request refused", level=logging.WARNING, status=401)
    told = caplog.records[MOST:]
    assert [record.message for record in told] == ["lines left out", "request refused"]
    assert vars(told[0])["runbook_fields"] == {"lines": 1000 - MOST}


def test_a_flood_of_one_refusal_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """What an operator must set is told, however many guess at tokens meanwhile."""
    lines = FewLines(logging.getLogger("test"))
    for status in (*[401] * 1000, 404):
        lines.log_event("request refused", level=logging.WARNING, status=status, next_step="Set it")
    assert vars(caplog.records[-1])["runbook_fields"] == {"status": 404, "next_step": "Set it"}
