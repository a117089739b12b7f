"""The alert rules and the example configurations hold before Prometheus's and Alertmanager's own checkers."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import require_binary

FOLDER = Path(__file__).parents[2] / "deployments" / "prometheus"
RULES = FOLDER / "posthog-integration.rules.yml"
RULE_TESTS = FOLDER / "posthog-integration.rules.test.yml"
OWN_RULES = FOLDER / "runbook.rules.yml"
OWN_RULE_TESTS = FOLDER / "runbook.rules.test.yml"
ALERTMANAGER = FOLDER / "alertmanager.example.yml"

pytestmark = pytest.mark.real


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The end of a program, whatever its exit status."""
    return subprocess.run(
        [require_binary(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def passes(result: subprocess.CompletedProcess[str]) -> None:
    """Asserts that the program was content; else its own words tell why."""
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("rules", [RULES, OWN_RULES], ids=lambda path: path.name)
def test_the_rules_are_valid(rules: Path) -> None:
    """Prometheus accepts the rules file."""
    passes(run("promtool", "check", "rules", "--lint=all", "--lint-fatal", rules))


@pytest.mark.parametrize("tests", [RULE_TESTS, OWN_RULE_TESTS], ids=lambda path: path.name)
def test_each_alert_fires_and_stays_silent_as_its_tests_say(tests: Path) -> None:
    """Every case of the rule tests holds: firing, not firing and no data."""
    passes(run("promtool", "test", "rules", tests))


def test_the_example_prometheus_configuration_is_valid() -> None:
    """Prometheus accepts the example, and the rules files that it names are where it says."""
    result = run("promtool", "check", "config", FOLDER / "prometheus.example.yml")
    passes(result)
    assert "2 rule files found" in result.stdout


def test_the_example_alertmanager_configuration_is_valid() -> None:
    """Alertmanager accepts the example."""
    passes(run("amtool", "check-config", ALERTMANAGER))


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["service=posthog-integration", "severity=P1"], "posthog-runbook,on-call"),
        (["service=posthog-integration", "severity=P2"], "posthog-runbook,on-call"),
        (["service=posthog-integration", "severity=P3"], "posthog-runbook"),
        (["service=posthog-integration", "severity=P4"], "posthog-runbook"),
        (["service=billing", "severity=P1"], "on-call"),
        (["service=incident-runbook", "severity=P2"], "on-call"),
    ],
)
def test_alerts_go_to_the_runbook_and_the_urgent_ones_to_people_too(
    labels: list[str], receivers: str
) -> None:
    """The runbook gets each alert of its service; P1 and P2 reach the pager without it as well."""
    arguments = [f"--config.file={ALERTMANAGER}", f"--verify.receivers={receivers}", *labels]
    passes(run("amtool", "config", "routes", "test", *arguments))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("max by (job) (runbook_slack_socket_up) == 0", "runbook_slack_socket_up == 0"),
        ("for: 5m", "for: 0s"),
        (' or absent(up{job="incident-runbook"})', ""),
    ],
)
def test_a_broken_rule_about_ourselves_is_noticed(right: str, wrong: str, tmp_path: Path) -> None:
    """One socket of two is enough, a short break is no reason to page, and no data is not health."""
    (tmp_path / OWN_RULES.name).write_text(OWN_RULES.read_text().replace(right, wrong))
    (tmp_path / OWN_RULE_TESTS.name).write_text(OWN_RULE_TESTS.read_text())

    assert run("promtool", "test", "rules", tmp_path / OWN_RULE_TESTS.name).returncode != 0


def test_a_broken_threshold_is_noticed(tmp_path: Path) -> None:
    """The rule tests tell a rule that fires on any error from the right one."""
    mutant = RULES.read_text().replace("> 0.05", "> 0")
    (tmp_path / RULES.name).write_text(mutant)
    (tmp_path / RULE_TESTS.name).write_text(RULE_TESTS.read_text())

    result = run("promtool", "test", "rules", tmp_path / RULE_TESTS.name)

    assert result.returncode != 0
    assert "PostHogRateLimited" in result.stdout + result.stderr
