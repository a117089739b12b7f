"""The checks that there are, read from the files of `runbook/checks/specs/`."""

from runbook.checks import specs
from runbook.checks.spec import AnyCheck, CheckName, CheckSpec
from runbook.discovery import modules_in


def _found() -> dict[CheckName, AnyCheck]:
    found: dict[CheckName, AnyCheck] = {}
    for module in modules_in(specs.__name__, specs.__path__):
        for value in vars(module).values():
            if isinstance(value, CheckSpec) and found.setdefault(value.name, value) is not value:
                raise TypeError(f"{module.__name__}: there is another check of the name {value.name}")
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


CHECKS = _found()
"""Every check by its name, in the order of Quick Triage: all that stand in `runbook/checks/specs/`."""


def check_title(name: CheckName) -> str:
    """What people read of a check; a journal may name one that no longer exists."""
    spec = CHECKS.get(name)
    return spec.title if spec else name.words.capitalize()


def check_question(name: CheckName) -> str:
    """What a check asks; empty if the check no longer exists."""
    spec = CHECKS.get(name)
    return spec.question if spec else ""
