"""`runbook support`: who follows an incident for support, and what support may tell users."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.output import print_json, write
from deployments.cli.people.acts import do

if TYPE_CHECKING:
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy

Name = Annotated[
    str | None, Parameter(help="Who it is: a name or a login of the settings, or any other name.")
]


async def support(
    incident: Reference,
    name: Name = None,
    /,
    *,
    text: bool = False,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Say who follows an incident for support; with --text, print what support may tell users, and what not.

    Parameters
    ----------
    text
        Print the text for support as it is true now. Your own template of it is shown by `runbook render`.
    """
    if text == (name is not None):
        advice = "give either a name, or --text to print what support may tell users"
        raise CommandError(
            "there is nothing to do" if name is None else "two things at once", advice, code=ExitCode.USAGE
        )
    if name is not None:
        return await do(incident, "support", "support", options, name=name)
    page = await _page(incident, options)
    if options.json:
        print_json(page)
    else:
        write(str(page["text"]))
    return ExitCode.OK


async def _page(incident: str, options: ActOptions) -> dict[str, Any]:
    from deployments.cli.people.door import read_page
    from runbook.support.page import support_page

    def made(found: "Incident", policy: "Policy") -> dict[str, Any]:
        return support_page(found, policy, now=datetime.now(UTC)).model_dump(mode="json")

    return await read_page(incident, "support", options, made)
