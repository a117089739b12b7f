"""Two people answer a text for the public at the same moment: the first counts, and the other hears so."""

import pytest

from runbook.approvals.acts import Act, ActKind
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from tasks.acts import Acted, record_act
from tasks.incident import now
from tests.tasks.channels.asked_texts import asked, newest
from tests.tasks.channels.public_pages import Public, audience, public

__all__ = ["audience", "public"]  # fixtures, found here

EDITED = {"kind": ActKind.PUBLISH, "text": "Some events arrive late.", "title": "Delayed events"}
AS_IT_IS = {"kind": ActKind.PUBLISH}
NOT = {"kind": ActKind.WITHHOLD, "text": "not sure"}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (AS_IT_IS, EDITED, False),
        (EDITED, AS_IT_IS, False),
        (EDITED, EDITED | {"title": "Late events"}, False),
        (AS_IT_IS, NOT, False),
        (NOT, AS_IT_IS, False),
        (AS_IT_IS, AS_IT_IS, True),
        (NOT, NOT | {"text": "too early"}, True),
    ],
)
async def test_the_first_answer_counts_and_the_other_is_refused(
    first: dict[str, str], second: dict[str, str], same: bool, public: Public
) -> None:
    """Unless both say the same: who hears that it was so already takes their own words for published."""
    incident = await asked(public)
    before = await incident.read()

    async def do(says: dict[str, str], by: str) -> Acted:
        act = Act.model_validate({"proposal": (await newest(incident)).digest} | says)
        store, policy = incident.environment.store, incident.policy
        return await record_act(
            store, before, act, by=by, identify=lambda _: Identity(name=by), policy=policy, at=now()
        )

    assert (await do(first, "ana")).recorded
    if same:
        assert not (await do(second, "bob")).recorded
    else:
        with pytest.raises(InvalidAnswer, match="ana"):
            await do(second, "bob")
    journal = await incident.read()
    published = [answer.by for answer in journal.events(e.PublicTextApproved)]
    assert published + [answer.by for answer in journal.events(e.PublicTextWithheld)] == ["ana"]
