"""The scenario files: complete, honest with each other, and refused when they are wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from deployments.drill.run.scenario import Scenario, load_scenario, read_scenario, scenario_names
from deployments.drill.world.faults import Faults
from runbook.decision.severity import Severity

FAMILIES = {
    "posthog-outage",
    "unlisted-errors",
    "expired-key",
    "missing-scope",
    "rate-limited",
    "out-of-memory",
    "bad-rollout",
    "fix-in-between",
    "false-alarm",
    "blind",
    "slow-unknown",
    "changed-mind",
    "by-hand",
    "mixed-errors",
    "partial-metrics",
    "reverted-by-gitops",
    "unrouted",
    "nobody-answers",
    "late-update",
    "webhook-delays",
}


def test_every_family_of_incidents_has_a_drill() -> None:
    """No scenario that the runbook must handle is missing."""
    assert set(scenario_names()) >= FAMILIES


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_scenario_is_named_as_its_file_and_tells_its_story(name: str) -> None:
    """Each file loads under its own name and says in prose what happens."""
    loaded = load_scenario(name)
    assert loaded.name == name
    assert len(loaded.story.split()) > 20


def test_every_verdict_is_drilled() -> None:
    """The scenarios together expect each verdict that the decision tree can reach."""
    verdicts = {load_scenario(name).expect.verdict for name in scenario_names()}
    assert verdicts == {
        "posthog_outage",
        "integration_issue",
        "resolved_or_intermittent",
        "infrastructure_issue",
        "unknown",
    }


def test_every_severity_is_drilled() -> None:
    """So are its clocks: what people hear of them, or that they hear nothing before the incident is over."""
    expected = {load_scenario(name).expect.severity for name in scenario_names()}
    assert expected == set(Severity)


@pytest.mark.parametrize(
    "actions",
    ['["enable_falback", "recovered"]', '["enable_fallback", "recoverd"]', '["enable_fallback"]'],
)
def test_scenarios_expect_in_the_runbooks_own_words(actions: str, tmp_path: Path) -> None:
    """What a scenario may expect is exactly what the runbook can answer."""
    wrong = tmp_path / "test-case.toml"
    wrong.write_text(f"{GOOD}actions = [{actions}]\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="actions"):
        read_scenario(wrong)


GOOD = """
name = "test-case"
title = "t"
story = "s"
[alert]
alertname = "A"
severity = "P1"
summary = "s"
[expect]
verdict = "unknown"
error_type = "none"
path = ["service_healthy: no"]
outcome = "unknown"
severity = "P1"
"""


def event(when: str, more: str = "") -> str:
    """Return the TOML of an event, with the table that follows it."""
    return f'[[events]]\nwhen = {when}\nwho = "w"\nwhat = "w"\n{more}\n[expect]'


def written(folder: Path, text: str) -> Scenario:
    """Read a scenario from its text."""
    path = folder / "scenario.toml"
    path.write_text(text)
    return read_scenario(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "t"', 'title = "t"\ncolour = "red"'),
        ('verdict = "unknown"', 'verdict = "perhaps"'),
        ("service_healthy: no", "service_healthy: maybe"),
        ("service_healthy: no", "weather: no"),
        ('severity = "P1"\nsummary', "severity = 1\nsummary"),
        ("[expect]", "[policy]\nresponse_minutes = { P1 = 0 }\n[expect]"),
        ("[expect]", "[policy]\nweather_minutes = 1\n[expect]"),
        ('severity = "P1"\n', 'severity = "P1"\nclocks = [["response", "over"]]\n'),
        ("[expect]", '[faults.weather]\nmode = "ok"\n[expect]'),
        ("[expect]", "[faults.posthog.outage]\nshare = 1.5\n[expect]"),
        ("[expect]", event('{kind = "noon", seconds = 1.0}')),
        ("[expect]", event('{kind = "start", seconds = 1.0}', 'clear = ["posthog.rain"]')),
        ("[expect]", event('{kind = "slack_message", pattern = "(", seconds = 1.0}')),
    ],
)
def test_a_mistake_in_a_scenario_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """Unknown keys, words, questions, faults and causes are refused when the file is read."""
    assert old in GOOD
    assert written(tmp_path, GOOD).name == "test-case"
    with pytest.raises(ValidationError):
        written(tmp_path, GOOD.replace(old, new))


def test_an_unknown_scenario_names_those_there_are() -> None:
    """Asking for a scenario that is not there lists the others."""
    with pytest.raises(LookupError, match="posthog-outage"):
        load_scenario("sunshine")


def test_a_patch_changes_what_it_names_and_null_clears() -> None:
    """Patches merge key by key, and null ends a fault."""
    faults = Faults().patched({"posthog": {"outage": {"share": 0.5}, "limit_per_second": 3}})
    faults = faults.patched({"posthog": {"outage": {"html": True}}})
    assert faults.posthog.outage is not None
    assert (faults.posthog.outage.share, faults.posthog.outage.html) == (0.5, True)
    cleared = faults.patched({"posthog": {"outage": None}})
    assert (cleared.posthog.outage, cleared.posthog.limit_per_second) == (None, 3)
