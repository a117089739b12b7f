"""Section `[templates]`: the folder with the team's own templates, read into the blocks of the channels.

A run renders messages without that folder: it may be on another machine. So a template that was changed is
used from the next `runbook configure` or `runbook up` on.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deployments.settings.checks import Mistake
from deployments.settings.file import SectionsCheck
from deployments.settings.places import Section
from deployments.settings.secrets import Unusable, text_of

TEMPLATES = "templates"
"""The name of the section."""

MOST_BYTES = 20_000
"""Of one template: the shipped ones have at most 2,000."""

_BLOCKS = {
    ".slack.j2": ("slack",),
    ".text.j2": ("email", "teams"),
    ".txt.j2": ("status_page_publisher",),
}
"""The channels that a template is for, by the end of its name."""

_ENDING = ".j2"


class TemplatesSettings(Section):
    """Section `[templates]`. A relative folder is relative to the settings file."""

    folder: Path | None = None


def with_templates(
    values: dict[str, dict[str, Any]], check: SectionsCheck, settings: TemplatesSettings | None
) -> None:
    """Give each channel its templates; one that cannot be used is a warning, as the shipped one is used."""
    if settings is None or settings.folder is None:
        return
    key = f"{TEMPLATES}.folder"
    try:
        paths = sorted((check.folder / settings.folder.expanduser()).iterdir())
    except OSError as error:
        cause = f"the folder cannot be read ({error.strerror}), so every message is the shipped one"
        check.warnings.append(Mistake(key, cause, "make the folder, or take the key out"))
        return
    from runbook.channels.samples import message_names

    names = message_names()
    for path in paths:
        if path.suffix != _ENDING:
            continue
        if path.name not in names:
            check.warnings.append(Mistake(key, f"{path.name} replaces nothing", _advice(path.name, names)))
            continue
        try:
            text = _read(path)
        except Unusable as error:
            check.warnings.append(Mistake(key, f"{path.name} {error.cause}", error.next_step))
            continue
        for block in next(blocks for ending, blocks in _BLOCKS.items() if path.name.endswith(ending)):
            if block in values:
                values[block][TEMPLATES] = {**values[block].get(TEMPLATES, {}), path.name: text}
        check.warnings += [Mistake(key, problem, _SEE) for problem in _problems(path.name, text)]


_SEE = "the shipped one is used in its place: see `runbook render sample`"


def _advice(name: str, names: tuple[str, ...]) -> str:
    stem, _, kind = name.partition(".")
    close = get_close_matches(stem, [it.partition(".")[0] for it in names if it.endswith(f".{kind}")], n=1)
    return f"call it {close[0]}.{kind}" if close else f"there are: {', '.join(names)}"


def _read(path: Path) -> str:
    """The text of a template.

    Raises:
        Unusable: it cannot be read, or is too long.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}", "make it readable") from None
    if len(content) > MOST_BYTES:
        raise Unusable(f"is longer than {MOST_BYTES:,} bytes", "shorten it")
    return text_of(content)


def _problems(name: str, text: str) -> Iterator[str]:
    """Why a template cannot be rendered for the sample incident."""
    from runbook.channels.samples import failure_of

    if failure := failure_of(name, {name: text}):
        yield f"{name} cannot be used ({failure})"
