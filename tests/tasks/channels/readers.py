"""A team whose people read e-mails and Microsoft Teams, and its support, imitated at the wire."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.channels.notifications.email import Email
from blocks.channels.notifications.teams import Teams
from deployments.drill.world.channels.mail import SmtpServer, smtp_listening
from deployments.drill.world.channels.teams import TeamsWorkflow
from tasks.incident import OpenIncident
from tests.fixtures.teams_workflow import workflow_listening
from tests.tasks.environments import open_incident

LOGIN = ("runbook@example.com", "p@ss/w:rd 1")
TEAM, LEAD, SUPPORT = "team@example.com", "lead@example.com", "support@example.com"


@dataclasses.dataclass
class Readers:
    """Both systems, and an incident of which they are told."""

    incident: OpenIncident
    mail: SmtpServer
    teams: TeamsWorkflow
    email_block: Email
    teams_block: Teams

    def mails_to(self, reader: str) -> list[str]:
        """The texts that this reader has got by e-mail, oldest first."""
        return [each.text for each in self.mail.taken if reader in each.readers]


def with_channels(incident: OpenIncident, *blocks: Email | Teams) -> OpenIncident:
    """The incident in an environment that has the channels of these blocks and no other."""
    sides = tuple(side for block in blocks for side in block.sides)
    at_work = dataclasses.replace(incident.environment, more_channels=sides)
    return OpenIncident(id=incident.id, environment=at_work)


@pytest.fixture
async def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Readers]:
    """An SMTP server that asks for a login, and a workflow of Teams."""
    async with (
        smtp_listening(SmtpServer(login=LOGIN)) as mail,
        workflow_listening(tmp_path, monkeypatch) as teams,
    ):
        email_block = Email(
            host="127.0.0.1",
            port=mail.port,
            security="none",
            username=LOGIN[0],
            password=SecretStr(LOGIN[1]),
            sender="runbook@example.com",
            to=(TEAM, LEAD),
            support_to=(SUPPORT,),
            audiences=("team", "support"),
            timeout_seconds=2,
        )
        teams_block = Teams(url=SecretStr(teams.url), audiences=("team", "support"), timeout_seconds=0.3)
        incident = with_channels(await open_incident(tmp_path), email_block, teams_block)
        yield Readers(incident, mail, teams, email_block, teams_block)
