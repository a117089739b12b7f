"""Templates of the team's own: sandboxed, escaped as the shipped ones are, and replaced where they fail."""

import pytest

from runbook.channels.messages import Message, external_message, in_slack, notice_message
from runbook.channels.samples import failure_of, message_names, sample_of
from runbook.channels.samples.incidents import NOW
from runbook.channels.text_messages import MAIL, TEAMS, TEXT, in_text
from runbook.policy.policy import Policy
from runbook.templates.environments import SHIPPED, environment_of
from runbook.templates.own import MOST_SHOWN, TemplateFailed, render_own

NOTICE = "notice.slack.j2"
EVIL = "<!channel> & <http://x|y> *b* `c`"


def shown(template: str, text: str = EVIL) -> str:
    """What the team's own notice makes of a text from outside."""
    return render_own(NOTICE, {NOTICE: template}, {"text": text, "link": ""})


@pytest.mark.parametrize(
    "template",
    [
        "{{ text }}",
        "{% autoescape false %}{{ text }}{% endautoescape %}",
        "{{ text | upper }}",
        "{{ [text, text] | join(' <!here> ') }}",
        "{{ text ~ '<!here>' }}",
        "{{ '<{}>'.format(text) }}",
        "{{ '<%s>' | format(text) }}",
        "{% set kept %}{{ text }}{% endset %}{{ kept }}",
        "{% macro said(it) %}{{ it }}{% endmacro %}{{ said(text) }}",
        "{{ (text | code).unescape() }}",
        "{{ text | striptags }} {{ text | wordwrap(5) }} {{ text | list }}",
        '{% include "shipped/notice.slack.j2" %}',
    ],
)
def test_text_from_outside_mentions_nobody_whatever_the_template_does(template: str) -> None:
    """Neither a mention nor a link survives: only the template's own words are Slack's markup."""
    result = shown(template)
    assert result
    assert "<" not in result.replace("&lt;", "")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ text | safe }}", "No filter named 'safe'"),
        ("{{ text | urlize }}", "No filter named 'urlize'"),
        ("{{ [text] | map('forceescape') | list }}", "No filter named 'forceescape'"),
        ("{{ text.__class__ }}", "is unsafe"),
        ("{{ sevrity }}", "'sevrity' is undefined"),
        ("fine\n{% if %}", "line 2: Expected an expression"),
        ("", "it gives no text"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'x' * 10 }}", "* is for numbers only"),
        ("{{ '%999999999d' % 1 }}", "% is for numbers only"),
        ("{{ 10 ** 10 }}", "** is not allowed"),
        ("{% for i in range(999999999) %}x{% endfor %}", "Range too big"),
        ("{% for i in range(90000) %}{{ text }}{% endfor %}", f"more than {MOST_SHOWN:,} characters"),
        ('{% include "shipped/../own.py" %}', "there is no template shipped/../own.py"),
        (f'{{% include "{NOTICE}" %}}', "recursion"),
        ("{% for i in [1] %}" * 25 + "x" + "{% endfor %}" * 25, "too many statically nested blocks"),
    ],
)
def test_a_template_that_cannot_be_used_says_why_in_one_line(template: str, reason: str) -> None:
    """A mistake, a forbidden name and a text that would never end are all errors of the template."""
    with pytest.raises(TemplateFailed) as failed:
        shown(template)
    assert reason in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_message_whose_template_fails_is_the_shipped_one_and_says_so() -> None:
    """The reason stands in the last line, escaped: the message itself is not lost."""
    message = notice_message("PostHog is back")
    text = str(in_slack(message, {NOTICE: "{{ text['<!here>'] }}"}))
    assert text.splitlines()[0] == "PostHog is back"
    assert "Your template notice.slack.j2 cannot be used: " in text.splitlines()[-1]
    assert "<!here>" not in text


def test_a_template_of_the_teams_own_takes_the_place_of_the_shipped_one() -> None:
    """Its own markup stays, and calculation with numbers works."""
    own = {NOTICE: "*<#C0HELP>* {{ text }} {{ 2 * 3 }}"}
    assert in_slack(notice_message("All is well"), own) == "*<#C0HELP>* All is well 6"
    assert in_slack(Message("hand_off", {"text": "x"}), own) == "🙋 x"


@pytest.mark.parametrize(
    ("template", "title", "fallback"),
    [
        ("{{ facts.state }}\nWe are on it.", "IDENTIFIED", ""),
        ("Only a title", "PostHog Integration Issue", "no text below its first line"),
        ("{{ facts.nothing }}\nWe are on it.", "PostHog Integration Issue", "has no attribute 'nothing'"),
    ],
)
def test_a_public_text_that_fails_is_the_shipped_one_and_the_public_is_not_told(
    template: str, title: str, fallback: str
) -> None:
    """Why stands beside the text, for whoever publishes it."""
    facts = sample_of("external.txt.j2", None, policy=Policy(), now=NOW).content
    assert not isinstance(facts, Message)
    message = external_message(facts, {"external.txt.j2": template})
    assert message.title == title
    assert fallback in message.fallback
    assert bool(message.fallback) == bool(fallback)
    assert "template" not in message.body


@pytest.mark.parametrize("template", message_names())
def test_every_message_has_a_sample(template: str) -> None:
    """The shipped template, as the team's own, gives the same text: its copy is where a team begins."""
    source = SHIPPED.get_source(environment_of(str), template)[0]
    assert failure_of(template, {template: source}) == ""
    content = sample_of(template, None, policy=Policy(), now=NOW).content
    if template.endswith(TEXT) and isinstance(content, Message):
        for style in (MAIL, TEAMS):
            assert in_text(content, style, {template: source}) == in_text(content, style)
    elif isinstance(content, Message):
        assert in_slack(content, {template: source}) == in_slack(content)
    else:
        assert external_message(content, {template: source}) == external_message(content)
