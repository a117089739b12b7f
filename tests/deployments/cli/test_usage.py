"""The command line's manners: help with examples, one-line errors, exit codes, a fast start."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from blocks.transport.errors import Refused, Unavailable
from deployments.cli import main
from deployments.cli.app import EXAMPLES, make_app
from deployments.cli.errors import EXIT_CODES, CommandError, ExitCode, expected


@pytest.fixture
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without a settings file, and no variable that names one."""
    monkeypatch.chdir(tmp_path)
    for variable in ("RUNBOOK_CONFIG", "PREFECT_API_URL"):
        monkeypatch.delenv(variable, raising=False)


COMMANDS = [command.__name__ for command in EXAMPLES]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` shows what the command is for, an example of it, and the exit codes."""
    assert main([command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"• runbook {command}" in shown
    assert EXIT_CODES in shown


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`runbook` alone, and with `--help`, lists all commands and the exit codes."""
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert [command for command in COMMANDS if f"│ {command} " not in shown] == []
    assert "Exit codes: 0 ok" in shown


@pytest.mark.parametrize("command", EXAMPLES, ids=COMMANDS)
def test_every_example_parses(command: object) -> None:
    """Each example in a command's help is a command line that the program accepts."""
    for example in EXAMPLES[command]:  # type: ignore[index]  # the keys are the commands
        program, *tokens = shlex.split(example)
        assert program == "runbook"
        chosen, _, unused, _ = make_app().parse_known_args(tokens)
        assert chosen is command
        assert unused == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "there is no command 'bogus'; `runbook --help` lists all"),
        (["incidnt"], "there is no command 'incidnt' (did you mean 'incident'?); `runbook --help` lists all"),
        (["drill", "no-such-drill"], "no scenario 'no-such-drill'; `runbook drill --list` shows all"),
        (["drill", "--approve", "maybe"], "--approve"),
        (["drill", "--liste"], "Did you mean --list?; see `runbook drill --help`"),
        (["reject", "latest"], "--reason requires an argument; see `runbook reject --help`"),
        (["alerts", "bogus"], "alerts takes no further argument 'bogus'; see `runbook alerts --help`"),
        (["approve"], "see `runbook approve --help`"),
        (["severity", "latest", "P5", "--reason", "x"], 'Choose from: "P1", "P2", "P3", "P4"'),
        (["severity", "latest", "P1", "--by", " ", "--reason", "x"], "--by and --reason cannot be empty"),
        (["configure"], "see `runbook configure --help`"),
        (["configure", "missing.toml"], "missing.toml"),
        (["incidents", "--config", "missing.toml"], "missing.toml"),
        (["incidents", "--limit", "many"], '"many"'),
        (["up"], "there is no settings file; copy deployments/runbook.example.toml to runbook.toml"),
        (["respond"], "--summary requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("nothing_configured")
def test_a_mistake_is_one_line_on_stderr(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input ends with exit code 2, one line that says what to do, and nothing on standard output."""
    assert main(arguments) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert line.startswith("runbook: error: ")
    assert said in line


def test_a_reader_that_leaves_is_no_error() -> None:
    """`runbook --help | head -0` does not end in a traceback."""
    code = "import sys; from deployments.cli import main; sys.exit(main(['drill', '--list', '--json']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == ExitCode.OK


def test_interruption_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command with 130, as shells expect."""

    def interrupted(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("deployments.cli.app._run", interrupted)
    assert main(["incidents"]) == ExitCode.INTERRUPTED


@pytest.mark.parametrize("fault", [KeyError("surprise"), FileNotFoundError(2, "No such file", "/ours")])
def test_a_fault_of_ours_is_not_hidden(fault: Exception) -> None:
    """Only expected errors become one line; a programming error keeps its traceback."""
    assert expected(fault) is None


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (
            Unavailable("Prefect", "no answer at http://127.0.0.1:1/api", "Start it"),
            ExitCode.UNREACHABLE,
            "Prefect: no answer at http://127.0.0.1:1/api; start it",
        ),
        (
            Refused("Prefect", "there is no deployment", "Run `runbook configure FILE`"),
            ExitCode.FAILED,
            "Prefect: there is no deployment; run `runbook configure FILE`",
        ),
        (
            PermissionError(13, "Permission denied", ".runbook"),
            ExitCode.FAILED,
            ".runbook: Permission denied; check the folder and try again",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_expected_errors_say_what_to_do(error: Exception, code: ExitCode, line: str) -> None:
    """What the outside and the machine refuse is one line with a next step and an exit code of its own."""
    told = expected(error)
    assert told is not None
    assert (told.code, told.lines) == (code, [line])


def test_the_first_known_error_of_a_group_is_told() -> None:
    """What task groups raise is unpacked to the error that a person can act on."""
    told = expected(ExceptionGroup("", [ValueError("x"), CommandError("it is late", "sleep")]))
    assert told is not None
    assert told.lines == ["it is late; sleep"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('token = "abcdefghijklmnopqrs"', "receiver.token: it contains a secret in this file"),
        ("token = 3", "receiver.token: "),
        ('token = { file = "short" }', "receiver.token: it is shorter than 16 characters"),
    ],
)
def test_a_mistake_about_a_secret_is_told_whole(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The word behind `token:` is no token."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").write_text("abc")
    (tmp_path / "short").chmod(0o600)
    (tmp_path / "runbook.toml").write_text(f"[receiver]\n{line}\n")
    assert main(["incidents"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert "redacted" not in told


@pytest.mark.parametrize("limit", ["0", "-5"])
def test_a_list_of_nothing_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would look as if there were no incident."""
    assert main(["incidents", "--limit", limit]) == ExitCode.USAGE
    assert "--limit" in capsys.readouterr().err
