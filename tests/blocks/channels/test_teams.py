"""Messages in Microsoft Teams go to the address of their readers, and errors name its host alone."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from blocks.channels.channel import Post
from blocks.channels.notifications.teams import Teams
from blocks.transport.errors import Unavailable
from tests.fixtures.teams_workflow import SIGNATURE, WORKFLOW

POST = Post(id="inc-1/teams/opened", since=datetime(2026, 11, 22, tzinfo=UTC))


@pytest.mark.parametrize(("support", "host"), [(False, "127.0.0.1"), (True, "127.0.0.2")])
async def test_an_address_that_does_not_answer_is_told_by_its_own_host(support: bool, host: str) -> None:
    """Support may have another one than the team."""
    path = f"workflows/{WORKFLOW}/triggers/manual/paths/invoke?sig={SIGNATURE}"
    block = Teams(
        url=SecretStr(f"https://127.0.0.1:1/{path}"),
        support_url=SecretStr(f"https://127.0.0.2:1/{path}"),
        timeout_seconds=1,
    )
    with pytest.raises(Unavailable) as failed:
        await block.send("x", subject="x", post=POST, support=support)
    assert f"{host} cannot be reached" in str(failed.value)
    assert SIGNATURE not in str(failed.value)
