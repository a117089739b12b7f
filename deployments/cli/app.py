"""The command line: a thin layer over functions. `--help` answers before Prefect is imported."""

import asyncio
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import Any

from cyclopts import App, Parameter
from cyclopts.exceptions import CycloptsError, UnknownCommandError, UnusedCliTokensError

from deployments.cli.alerting.alerts import alerts
from deployments.cli.alerting.explain import explain
from deployments.cli.alerting.sns import confirm_sns
from deployments.cli.completion import completion
from deployments.cli.configure import configure
from deployments.cli.doctor.doctor import doctor
from deployments.cli.drill import drill
from deployments.cli.errors import EXIT_CODES, CommandError, ExitCode, expected
from deployments.cli.incidents import incidents
from deployments.cli.looking.incident import incident, paper
from deployments.cli.looking.render import render
from deployments.cli.output import print_defect, print_error, quiet_libraries
from deployments.cli.people.acts import ack, assign, comms, note, take, update
from deployments.cli.people.answers import approve, edit, reject, snooze
from deployments.cli.people.ends import merge, reopen, resolve, state
from deployments.cli.people.handover import handover
from deployments.cli.people.login import login
from deployments.cli.people.publishing import publish, withhold
from deployments.cli.people.respond import respond
from deployments.cli.people.resume import resume
from deployments.cli.people.severity import severity
from deployments.cli.people.support import support
from deployments.cli.triage import health, triage
from deployments.cli.up import up
from deployments.processes.umask import keep_files_private

EXAMPLES: dict[Callable[..., Any], tuple[str, ...]] = {
    drill: ("runbook drill", "runbook drill expired-key --approve auto", "runbook drill --list"),
    up: ("runbook up", "runbook up --config runbook.toml"),
    configure: ("runbook configure runbook.toml",),
    doctor: ("runbook doctor", "runbook doctor --config runbook.toml --json"),
    health: ("runbook health", "runbook health --config runbook.toml"),
    triage: ("runbook triage", "runbook triage --json"),
    respond: ('runbook respond --service posthog-integration --summary "flags time out" --severity P2',),
    incidents: ("runbook incidents --waiting", "runbook incidents --since 7d --search checkout --json"),
    incident: (
        "runbook incident latest",
        "runbook incident latest --follow",
        "runbook incident inc-20261122 --full",
        "runbook incident inc-20261122 --json",
    ),
    alerts: ("runbook alerts", "runbook alerts --unrouted --json"),
    paper: ("runbook paper latest",),
    render: ("runbook render", "runbook render latest root", "runbook render sample external --json"),
    approve: ("runbook approve latest", "runbook approve inc-20261122 --plan 4b1d0c3f9e2a"),
    reject: ('runbook reject latest --reason "the deploy is being rolled back by hand"',),
    edit: ("runbook edit latest memory=1Gi",),
    snooze: ("runbook snooze latest --minutes 10", "runbook snooze latest --reminder"),
    resume: (
        "runbook resume latest",
        'runbook resume latest --done "restarted it by hand" --did 1-restart-deployment',
    ),
    login: ("runbook login",),
    take: ("runbook take latest",),
    assign: ("runbook assign latest ana", "runbook assign inc-20261122 ana@example.com --by bob"),
    comms: ("runbook comms latest cyd",),
    support: ("runbook support latest dee", "runbook support latest --text"),
    handover: ("runbook handover latest", "runbook handover latest --to bob"),
    note: (
        'runbook note latest "PostHog support rolls back"',
        'runbook note latest "first errors" --at 14:05',
    ),
    ack: ("runbook ack latest",),
    update: ("runbook update latest",),
    publish: (
        "runbook publish latest --proposal 4b1d0c3f9e2a",
        "runbook publish latest --proposal 4b1d0c3f9e2a --text words.txt",
        'runbook publish latest --proposal 4b1d0c3f9e2a --title "Delayed events"',
    ),
    withhold: ('runbook withhold latest --proposal 4b1d0c3f9e2a --reason "PostHog tells it already"',),
    state: ('runbook state latest monitoring --reason "PostHog support has rolled back"',),
    resolve: ('runbook resolve latest --outcome recovered --reason "it works" --done "rolled back by hand"',),
    reopen: ('runbook reopen inc-20261122 --reason "it times out again"',),
    merge: ('runbook merge latest inc-20261122 --reason "the same deploy"',),
    completion: ("runbook completion bash", "runbook completion fish"),
    severity: ('runbook severity latest P2 --reason "one customer is affected"',),
}
"""All commands in the order of `--help`, each with its examples."""


SUBCOMMANDS: dict[Callable[..., Any], dict[Callable[..., Any], tuple[str, ...]]] = {
    alerts: {
        explain: (
            "runbook alerts explain payload.json",
            "pbpaste | runbook alerts explain - --format uptime-kuma --json",
        ),
        confirm_sns: ("runbook alerts confirm-sns", "runbook alerts confirm-sns alerts --yes"),
    },
}
"""Commands of a command, each with its examples."""


def make_app() -> App:
    """The application with all commands."""
    app = App(
        name="runbook",
        help="The PostHog incident runbook. It runs by itself up to the point where a person must decide.",
        help_format="markdown",
        help_epilogue=EXIT_CODES,
        version=_version,
        default_parameter=Parameter(negative=""),  # no switch is on by default, so none needs turning off
        result_action="return_value",
    )
    for order, (command, examples) in enumerate(EXAMPLES.items()):
        app.command(command, help_epilogue=_epilogue(examples), sort_key=order)
        for inner, shown in SUBCOMMANDS.get(command, {}).items():
            app[command.__name__].command(inner, help_epilogue=_epilogue(shown))
    return app


def _epilogue(examples: Sequence[str]) -> str:
    shown = "\n".join(f"- `{example}`" for example in examples)
    return f"Examples:\n\n{shown}\n\n{EXIT_CODES}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; expected errors become one line on standard error."""
    keep_files_private()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that the terminal cannot show is no reason to stop
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect's client would tell its makers about our commands
    quiet_libraries()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # the reader left: nothing can be flushed at exit
        return ExitCode.OK
    except Exception as error:
        known = expected(error)
        if known is None:
            print_defect(error)
            return ExitCode.FAILED
        for line in known.lines:
            print_error(_with_settings(line, given))
        return known.code


_OF_INCIDENTS = re.compile(r"`runbook (?:incidents?|resume|reopen|note)(?: [^`-][^`]*)?(?=`)")


def _with_settings(line: str, given: Sequence[str]) -> str:
    """The line, its commands with the settings file that was given: without it they would look elsewhere."""
    following = dict(pairwise(given))
    path = following.get("--config") or next(
        (word.partition("=")[2] for word in given if word.startswith("--config=")), None
    )
    if not path:
        return line
    return _OF_INCIDENTS.sub(lambda found: f"{found[0]} --config {shlex.quote(path)}", line)


def _run(arguments: list[str]) -> int:
    app = make_app()
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise _usage(error) from None
    return code if isinstance(code, int) else ExitCode.OK


def _usage(error: CycloptsError) -> CommandError:
    error.verbose = False
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        word = error.unused_tokens[0]
        near = get_close_matches(word, [command.__name__ for command in EXAMPLES], n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        problem = f"there is no command {word!r}{hint}"
        return CommandError(problem, "`runbook --help` lists all", code=ExitCode.USAGE)
    command = " ".join(error.command_chain or ())
    problem = str(error)
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        # The library's own sentence calls them tokens, which is masked as a secret would be.
        problem = f"{command or 'runbook'} takes no further argument {error.unused_tokens[0]!r}"
    see = f"`runbook {command} --help`" if command else "`runbook --help`"
    return CommandError(problem, f"see {see}", code=ExitCode.USAGE)


def _version() -> str:
    try:
        return version("posthog-incident-runbook")
    except PackageNotFoundError:
        return "not installed"
