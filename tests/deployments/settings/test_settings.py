"""Settings: what a mistake says, how paths are read and where the file is found."""

import os
from pathlib import Path

import pytest

from blocks.kubernetes.cluster import Cluster
from blocks.transport.errors import Refused
from deployments.prefect.configure import blocks
from deployments.settings.settings import ConfigurationError, find_config, load_settings
from runbook.actions.spec import Risk
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.decision.severity import Severity
from tests.deployments.settings_samples import NEEDED, REFERENCE, load, mistakes


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[prometheus]\nurll = "http://x"', 'prometheus.urll: unknown key (did you mean "url"?)'),
        ("[promtheus]", 'promtheus: unknown section (did you mean "prometheus"?)'),
        ("prometheus = 1", "prometheus: not a section: write [prometheus] and its keys below"),
        (
            '[policy.calendar]\ntimezone = "UTC"',
            'policy.calendar.timezone: unknown key (did you mean "time_zone"?)',
        ),
        (
            '[policy.calendar]\ntime_zone = "Mars/Base"',
            "policy.calendar.time_zone: no such time zone: the value: correct the value",
        ),
        (
            "[policy.keep_days]\nincidents = -1",
            "policy.keep_days.incidents: the input should be greater than or equal to 0: correct the value",
        ),
        (
            "[policy.keep_days]\nincidents = 30\nevidence = 90",
            "policy.keep_days: evidence cannot be kept longer than its incident, because the "
            "incident's journal says where it is: "
            "correct the value",
        ),
        (
            "[policy.approvals.high]\naprovers = []",
            'policy.approvals.high.aprovers: unknown key (did you mean "approvers"?)',
        ),
        (
            "[policy.approvals.high]\ncount = 3",
            "policy.approvals.high.count: the input should be less than or equal to 2: correct the value",
        ),
        (
            "[policy.approvals.huge]\ncount = 1",
            "policy.approvals.huge: the input should be 'none', 'low', 'medium' or 'high': correct the value",
        ),
        (
            '[policy.preapproved]\nroll_back = ["P4"]',
            "policy.preapproved: roll_back is not a low-risk change: it needs a person's approval: "
            "correct the value",
        ),
        (
            '[policy]\nmemory_ceiling = "2GB"',
            "policy.memory_ceiling: the value is not an amount of memory: write 512Mi or 1Gi: "
            "correct the value",
        ),
        (
            '[policy]\nqueue_switch = { variable = "A", valeu = "b" }',
            'policy.queue_switch.valeu: unknown key (did you mean "value"?)',
        ),
        (
            "[policy]\nerror_rate_threshold = -1",
            "policy.error_rate_threshold: the input should be greater than or equal to 0: correct the value",
        ),
        (
            "[receiver]\nport = 70000",
            "receiver.port: the input should be less than or equal to 65535: correct the value",
        ),
        (
            '[receiver]\nport = "auto"',
            "receiver.port: not a whole number: write one without quotes, such as 30",
        ),
        (
            "[receiver]\nport = 80.5",
            "receiver.port: not a whole number: write one without quotes, such as 30",
        ),
        (
            "[self_watch]",
            "receiver.self_watch.token: missing, and [receiver] has no token either: set one of them",
        ),
        (
            '[self_watch]\nping_url = "https://ping.example/8c1f"',
            f"self_watch.ping_url: it contains a secret in this file: {REFERENCE}",
        ),
        ('[slack]\nchannel = "C1"', "slack.token: missing: set it (runbook.example.toml explains it)"),
        (
            '[posthog]\napi_key = "phx_literal"',
            f"posthog.api_key: it contains a secret in this file: {REFERENCE}",
        ),
        ("[posthog]\napi_key = 7", f"posthog.api_key: not a reference to a secret: {REFERENCE}"),
        (
            '[posthog]\napi_key = { vault = "x" }',
            f"posthog.api_key: not a reference to a secret: {REFERENCE}",
        ),
        (
            '[posthog]\napi_key = { env = "NO_SUCH_VARIABLE" }',
            (
                "posthog.api_key: the environment variable NO_SUCH_VARIABLE is not set: set it, or "
                "refer to another one"
            ),
        ),
        (
            '[store]\nurl = "postgresql+psycopg://me:hunter2@db/runbook"',
            f"store.url: it contains a password in this file: {REFERENCE}",
        ),
        (
            '[store]\nurl = "mysql://db/runbook"',
            "store.url: the driver is not one of sqlite+aiosqlite, postgresql+psycopg: "
            "write sqlite+aiosqlite:///path or postgresql+psycopg://host/database",
        ),
    ],
)
def test_a_mistake_is_one_line_with_key_cause_and_next_step(config: Path, text: str, line: str) -> None:
    """The line names the key as it is written in the file, what is wrong and what to do."""
    assert mistakes(config, text) == [line]


@pytest.mark.parametrize("address", ["http://flows.example/invoke?sig=abcdefgh", "abcdefgh-of-a-workflow"])
@pytest.mark.parametrize("key", ["url", "support_url"])
def test_an_address_of_teams_that_is_not_encrypted_is_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch, key: str, address: str
) -> None:
    """It is a credential: the line names the key and what to do, and does not quote it."""
    monkeypatch.setenv("GOOD", "https://flows.example/invoke?sig=abcdefgh")
    monkeypatch.setenv("BAD", address)
    names = {"url": "GOOD", "support_url": "GOOD"} | {key: "BAD"}
    keys = "".join(f'{each} = {{ env = "{name}" }}\n' for each, name in names.items())
    line = f"teams.{key}: not an address that begins with https://: copy it from the workflow in Teams"
    assert mistakes(config, f"[teams]\n{keys}") == [line]


def test_the_self_watch_has_to_know_its_receiver(config: Path) -> None:
    """Of a port that is taken when the receiver starts, nobody else knows."""
    text = "[receiver]\nport = 0\n[self_watch]"
    assert "self_watch.receiver_url: missing, and [receiver] port is 0: set one of them" in mistakes(
        config, text
    )


def test_every_mistake_is_told_at_once(config: Path) -> None:
    """Mistakes in several sections do not hide each other."""
    told = mistakes(config, "[receiver]\nport = -1\n[prometheus]\nurll = 1\n[nope]", needed="")
    assert [line.split(":")[0] for line in told] == [
        "receiver.port",
        "nope",
        "integration.health_url",
        "prometheus.urll",
    ]


def test_a_key_of_an_earlier_release_is_read_under_its_present_name(config: Path) -> None:
    """Both at once are one mistake: which of them is meant is not guessed."""
    read = load(config, '[cluster]\ndeployment = "integration"\nworkload_kind = "StatefulSet"')
    cluster = blocks(read)["cluster"]
    assert isinstance(cluster, Cluster)
    assert cluster.target == "default/statefulset/integration"
    [both] = mistakes(config, '[cluster]\ndeployment = "a"\nworkload_name = "b"')
    assert "deployment is the earlier name of workload_name: give one of them" in both


def test_tables_of_tables_are_read(config: Path) -> None:
    """A rule for each risk, and pre-approvals by action, stand in sections of their own."""
    policy = load(
        config,
        '[policy.approvals.high]\napprovers = ["ana", "bob"]\ncount = 2\n'
        "[policy.approvals.medium]\naccept_unverified = false\n"
        '[policy.preapproved]\nrestart_deployment = ["P3", "P4"]',
    ).policy
    high, medium = policy.rule_for(Risk.HIGH), policy.rule_for(Risk.MEDIUM)
    assert (high.approvers, high.count, high.accept_unverified) == (("ana", "bob"), 2, False)
    assert (medium.approvers, medium.count, medium.accept_unverified) == ((), 1, False)
    assert policy.preapproved == {RESTART_DEPLOYMENT.name: (Severity.P3, Severity.P4)}


def test_relative_paths_are_relative_to_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command finds the same store, evidence and kubeconfig whatever folder it is run from."""
    monkeypatch.chdir("/")
    settings = load(config, '[cluster]\nkubeconfig = "kube/config:/etc/kube"\n[evidence]\nfolder = "kept"')
    folder = config.parent
    assert settings.store_url.get_secret_value() == f"sqlite+aiosqlite:///{folder}/.runbook/incidents.db"
    assert settings.evidence_folder == folder / "kept"
    assert settings.systems["cluster"]["kubeconfig"] == f"{folder}/kube/config:/etc/kube"


def test_none_turns_a_policy_off(config: Path) -> None:
    """TOML has no null: the word says it."""
    assert load(config, '[policy]\npublish_from = "none"').policy.publish_from is None
    assert load(config, '[policy]\npublish_from = "P1"').policy.publish_from is Severity.P1


def test_without_the_systems_only_the_rest_is_checked(config: Path) -> None:
    """The receiver starts without importing the clients of systems that it never calls."""
    config.write_text('[receiver]\nport = 8200\n[prometheus]\nurll = "not looked at"')
    settings = load_settings(config, systems=False)
    assert settings.receiver.port == 8200
    assert settings.systems == {}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "there is no such file: copy deployments/runbook.example.toml there and fill it in"),
        (b"[receiver", "not TOML: "),
        (b"\xff", "not TOML: "),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(config: Path, content: bytes | None, cause: str) -> None:
    """No traceback where the file is missing or is no TOML."""
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(config)
    assert str(refused.value).startswith(f"{config}: {cause}")
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    """Its rights are not what is wrong with it."""
    with pytest.raises(ConfigurationError) as refused:
        load_settings(tmp_path)
    assert str(refused.value) == f"{tmp_path}: is a folder: give the path of the settings file in it"


def test_the_file_is_found_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A given file goes before RUNBOOK_CONFIG, and that before runbook.toml in the folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNBOOK_CONFIG", raising=False)
    assert find_config() is None
    Path("runbook.toml").touch()
    assert find_config() == Path("runbook.toml")
    monkeypatch.setenv("RUNBOOK_CONFIG", "other.toml")
    assert find_config() == Path("other.toml")
    assert find_config(Path("given.toml")) == Path("given.toml")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_settings_of_another_user_are_taken_only_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They say to which address our secrets go, and somebody may have left them in a folder of /tmp."""
    monkeypatch.chdir(tmp_path)
    Path("runbook.toml").write_text(NEEDED)
    os.chown("runbook.toml", 1, 1)
    found = find_config()
    assert found is not None
    with pytest.raises(ConfigurationError, match="it belongs to the user daemon: read it, and name it"):
        load_settings(found)
    assert load_settings(tmp_path / "runbook.toml").store_url


def test_a_store_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A mistyped path would be an empty store, and nobody would find the incidents."""
    settings = load(
        tmp_path / "runbook.toml", '[store]\nurl = "sqlite+aiosqlite:///sotre/data/incidents.db"\n'
    )
    with pytest.raises(Refused) as refused:
        settings.make_folders()
    assert str(refused.value) == (
        f"incident store: there is no folder {tmp_path}/sotre in which data could be made for the store. "
        f"Correct `url` in [store], or: mkdir -p {tmp_path}/sotre/data"
    )
    assert not (tmp_path / "sotre").exists()


def test_a_new_folder_that_is_not_ours_by_its_name_is_told_once(tmp_path: Path) -> None:
    """That of our state is made without a word."""
    text = '[store]\nurl = "sqlite+aiosqlite:///sotre/incidents.db"\n[evidence]\nfolder = "kept"\n'
    settings = load(tmp_path / "runbook.toml", text)
    assert settings.make_folders() == [
        f"[store] url: {tmp_path}/sotre did not exist and was created",
        f"[evidence] folder: {tmp_path}/kept did not exist and was created",
    ]
    assert settings.make_folders() == []
    other = tmp_path / "other"
    other.mkdir()
    assert load(other / "runbook.toml", "").make_folders() == []
    assert (other / ".runbook").is_dir()
