"""The page with the e-mails of a drill shows what their readers see."""

from email.message import EmailMessage

import pytest

from deployments.drill.world.channels.mail import Delivered
from deployments.drill.world.channels.read_page import read_page
from deployments.drill.world.channels.teams import TeamsWorkflow


def delivered(subject: str, text: str) -> Delivered:
    """An e-mail that was taken."""
    message = EmailMessage()
    message["Subject"] = subject
    message.set_content(text)
    return Delivered("runbook@example.com", ["team@example.com"], message)


@pytest.mark.parametrize(
    ("subject", "text", "times"),
    [
        ("ana is the lead now (inc-1)", "ana is the lead now\n\nIncident: Checkout, inc-1", 1),
        ("ana is the lead now", "ana is the lead now", 1),
        ("REHEARSAL: ana is the lead now", "REHEARSAL: nothing will be changed\nana is the lead now", 2),
    ],
)
def test_what_the_subject_says_is_shown_once(subject: str, text: str, times: int) -> None:
    """The first line of an e-mail is its subject as well; what says more stays."""
    page = read_page([delivered(subject, text)], [])
    assert page.count("ana is the lead now") == times
    assert f"<h2>{subject}</h2>" in page
    assert text.partition("\n")[2].strip() in page


def test_a_card_of_teams_is_shown_as_people_see_it() -> None:
    """Its links are links, nobody reads a backslash, and nothing else of it is markup."""
    workflow = TeamsWorkflow("w", "s")
    workflow.posted.append(r"\- memory \[x\]\(http\://b.example\) <b> [open](https://p.example/a?b=1&c=2)")
    page = read_page([], [workflow])
    assert "<pre>- memory [x](http://b.example) &lt;b&gt; " in page
    assert '<a href="https://p.example/a?b=1&amp;c=2">open</a></pre>' in page


def test_an_email_is_text() -> None:
    """Nothing of it is markup."""
    page = read_page([delivered("<b>x</b>", "<script>y</script>")], [])
    assert "<b>" not in page
    assert "<script>" not in page
