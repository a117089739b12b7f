"""How a command ends that cannot do what it was asked: one line, and an exit code that scripts can read."""

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command, as `runbook --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOTHING = 3
    UNREACHABLE = 4
    INTERRUPTED = 130


EXIT_CODES = "Exit codes: " + ", ".join(
    f"{code.value} {meaning}"
    for code, meaning in {
        ExitCode.OK: "ok",
        ExitCode.FAILED: "failed or unhealthy",
        ExitCode.USAGE: "usage or configuration",
        ExitCode.NOTHING: "not found or nothing to answer",
        ExitCode.UNREACHABLE: "an outside system cannot be reached",
        ExitCode.INTERRUPTED: "interrupted",
    }.items()
)


class CommandError(Exception):
    """An expected end of a command that is not a success: what is wrong, and what to do next.

    Without a next step, the problem's own text says it; it may have a line for each mistake.
    """

    def __init__(self, problem: str, next_step: str = "", *, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(problem)
        self.problem = problem
        self.next_step = next_step
        self.code = code

    @property
    def lines(self) -> list[str]:
        """What is printed: one line, or one for each mistake."""
        if not self.next_step:
            return self.problem.splitlines()
        return [f"{_flat(self.problem)}; {_lower_first(_flat(self.next_step))}"]


def expected(error: BaseException) -> CommandError | None:
    """What an error means to the person at the terminal; `None` for a fault of ours."""
    if isinstance(error, CommandError):
        return error
    from blocks.transport.errors import OutsideError, Unavailable
    from deployments.services.refusals import ActRefused, Refusal

    codes = {
        Refusal.NOT_FOUND: ExitCode.NOTHING,
        Refusal.NOTHING: ExitCode.NOTHING,
        Refusal.UNSEEN: ExitCode.USAGE,
        Refusal.INVALID: ExitCode.USAGE,
        Refusal.UNPROVEN: ExitCode.USAGE,
        Refusal.FAILED: ExitCode.FAILED,
    }
    if isinstance(error, ActRefused):
        return CommandError(error.problem, error.next_step, code=codes[error.kind])
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(expected, error.exceptions)), None)
    if isinstance(error, OutsideError):
        code = ExitCode.UNREACHABLE if isinstance(error, Unavailable) else ExitCode.FAILED
        return CommandError(f"{error.system}: {error.detail}", error.next_step, code=code)
    if isinstance(error, OSError) and error.errno in _FOLDER_FAULTS:
        return CommandError(f"{error.filename}: {error.strerror}", "check the folder and try again")
    return None


_FOLDER_FAULTS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR)
"""What the machine refuses, rather than what we did wrong."""


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _flat(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
