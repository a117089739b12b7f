"""Options that several commands share, so that each is called the same and explained the same everywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from deployments.cli.completion import complete_incident

ConfigOption = Annotated[
    Path | None,
    Parameter(
        name="--config",
        help="Settings file. Without it: RUNBOOK_CONFIG, then ./runbook.toml, then the blocks in Prefect.",
    ),
]

FileOption = Annotated[
    Path | None,
    Parameter(name="--config", help="Settings file. Without it: RUNBOOK_CONFIG, then ./runbook.toml."),
]
"""For a command that cannot do with the blocks in Prefect."""

EnvironmentOption = Annotated[
    str | None,
    Parameter(
        name="--environment", help="Whose blocks to use; by default the settings file's, else `default`."
    ),
]

JsonOption = Annotated[bool, Parameter(name="--json", show_default=False, help="Print the answer as JSON.")]

Switch = Annotated[bool, Parameter(show_default=False)]
"""A flag that is off unless it is given."""

ByOption = Annotated[
    str | None,
    Parameter(name="--by", help="Who decides; by default you. Another name than yours is a claim."),
]

Reference = Annotated[
    str, Parameter(help="An incident's id, the beginning of one, or `latest`.", completer=complete_incident)
]

SeverityWord = Literal["P1", "P2", "P3", "P4"]


@Parameter(name="*")
@dataclass(frozen=True)
class ActOptions:
    """The options of every command with which a person does something about an incident."""

    by: ByOption = None
    config: ConfigOption = None
    environment: EnvironmentOption = None
    json: JsonOption = False


BY_DEFAULT = ActOptions()
"""None of them is given."""
