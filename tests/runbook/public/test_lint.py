"""What a public text may not say is found, with the rule, the word and what to do."""

import pytest

from runbook.channels.messages import external_message, message_facts
from runbook.channels.public_impact import PublicImpact
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.public.areas import Affected, ProductArea
from runbook.public.lint import PublicRule, lint, lint_message
from tests.runbook.journals import OPENED, decided, incident, resolved

R = PublicRule
KEY = "phx_" + "k3y" * 12


@pytest.mark.parametrize(
    ("text", "rule", "word"),
    [
        ("Some users may experience [specific impact].", R.PLACEHOLDER, "[specific impact]"),
        ("TODO: say more", R.PLACEHOLDER, "TODO"),
        ("Hello {{ name }}", R.PLACEHOLDER, "{{"),
        ("Last updated: <timestamp>", R.PLACEHOLDER, "<timestamp>"),
        ("Last updated: YYYY-MM-DD", R.PLACEHOLDER, "YYYY-MM-DD"),
        ("Errors at 10.0.12.7 since ten", R.ADDRESS, "10.0.12.7"),
        ("Errors at fd00:10:244::17 again", R.ADDRESS, "fd00:10:244::17"),
        ("Errors at ::1 again", R.ADDRESS, "::1"),
        ("posthog.prod.svc.cluster.local is away", R.HOST, "posthog.prod.svc.cluster.local"),
        ("db-3.eu.internal is away", R.HOST, "db-3.eu.internal"),
        ("redis-master:6379 is away", R.HOST, "redis-master:6379"),
        ("localhost is away", R.HOST, "localhost"),
        ("ip-10-0-3-4 is away", R.HOST, "ip-10-0-3-4"),
        ("web-7d9f8c6b5d-x2x7k was killed", R.WORKLOAD, "web-7d9f8c6b5d-x2x7k"),
        ("deployment/posthog-integration restarts", R.WORKLOAD, "deployment/posthog-integration"),
        ("the pod web-api-0 restarts", R.WORKLOAD, "pod web-api-0"),
        ("We ran kubectl", R.WORKLOAD, "kubectl"),
        ("acme CORP cannot log in", R.NEVER_SAY, "acme CORP"),
        ("Acme\n Corp cannot log in", R.NEVER_SAY, "Acme Corp"),
        ("This was a human error", R.BLAME, "human error"),
        ("Our provider's error", R.BLAME, "provider's error"),
        ("It is PostHog's fault", R.BLAME, "PostHog's fault"),
        ("An engineer accidentally deleted it", R.BLAME, "An engineer accidentally deleted"),
        (f"The key {KEY} is used", R.SECRET, ""),
        ("Errors at 10.0.\u200b12.7 since ten", R.ADDRESS, "10.0.12.7"),
        ("Ac\u00adme C\u2060orp cannot log in", R.NEVER_SAY, "Acme Corp"),
        ("\uff11\uff10\uff0e0\uff0e12\uff0e7 is away", R.ADDRESS, "10.0.12.7"),
        ("See \uff1cscript\uff1e", R.PLACEHOLDER, "<script>"),
        ("Caf\u00e9 One\u2122 cannot log in", R.NEVER_SAY, "Caf\u00e9 OneTM"),
        ("Cafe\u0301 OneTM cannot log in", R.NEVER_SAY, "Caf\u00e9 OneTM"),
    ],
)
def test_a_word_that_may_not_be_published_is_found(text: str, rule: PublicRule, word: str) -> None:
    """By its rule; a secret is not told again."""
    found = lint(text, never_say=("Acme Corp", "Initech", "Cafe\u0301 One\u2122"))
    assert (rule, word) in [(it.rule, it.word) for it in found]
    assert all(rule.advice in it.sentence for it in found if it.rule is rule)
    assert KEY not in "".join(it.sentence for it in found)


@pytest.mark.parametrize(
    "written",
    [
        "\u0410\u0441m\u0435 Corp",  # Cyrillic
        "\u0391cme C\u03bfrp",  # Greek
        "\U0001d400\U0001d41c\U0001d426\U0001d41e Corp",
        "A\u0335c\u0335m\u0335e\u0335 Corp",
        "\u1d00\u1d04\u1d0d\u1d07 Corp",  # small capitals
        "A\u0301cme Corp",
        "Acrne C0rp",
        "_Acme_ **Corp**",
        "__Ac__me Corp",
        "Acme\\_Corp",
        "Acme-Corp",
        "AcmeCorp",
        "Acme&nbsp;Corp",
        "&#65;cme Corp",
        "Acme%20Corp",
        "&amp;#65;cme Corp",
        "Ac\u200bme\u00a0Corp",
        "Acme<!-- -->Corp",
        "xn--cme-5cd Corp",  # what a browser shows for the Cyrillic one
    ],
)
def test_the_name_of_a_customer_is_found_however_it_is_written(written: str) -> None:
    """Who reads the page reads the name; so do those who write it that it be not found."""
    found = lint(f"Some users of {written} see errors", never_say=("Acme", "Acme Corp"))
    assert R.NEVER_SAY in {it.rule for it in found}


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("db\u3002eu\u3002internal", R.HOST),
        ("db\uff61internal", R.HOST),
        ("db\u2024internal", R.HOST),
        ("\u0501b.\u0456nternal", R.HOST),
        ("d\u0432.inte\u0433nal.l\u03bfcal", R.HOST),
        ("db[.]internal", R.HOST),
        ("db(.)internal", R.HOST),
        ("db (dot) internal", R.HOST),
        ("db DOT internal", R.HOST),
        ("db . internal", R.HOST),
        ("db&#46;internal", R.HOST),
        ("db%2Einternal", R.HOST),
        ("db%252Einternal", R.HOST),
        ("db\\.internal", R.HOST),
        ("`db`.**internal**", R.HOST),
        ("my_db.internal", R.HOST),
        ("_db.internal_", R.HOST),
        ("[details](http://db.internal/x)", R.HOST),
        ("db.home.arpa", R.HOST),
        ("db.localdomain", R.HOST),
        ("l\u03bfcalhost", R.HOST),
        ("w\u0435b-7d9f8c6b5d-x2x7k", R.WORKLOAD),
        ("_kubectl_", R.WORKLOAD),
        ("0x0a000c07", R.ADDRESS),
        ("0xa.0x0.0xc.0x7", R.ADDRESS),
        ("0012.0000.0014.0007", R.ADDRESS),
        ("http://167775239/", R.ADDRESS),
        ("10[.]0[.]12[.]7", R.ADDRESS),
        ("10\u30020\u300212\u30027", R.ADDRESS),
        ("1\u200b0.0.12.7", R.ADDRESS),
        ("\u0661\u0660.0.12.7", R.ADDRESS),
        ("FD00:10:244:0:0:0:0:17", R.ADDRESS),
        ("::ffff:10.0.12.7", R.ADDRESS),
        ("http://[fd00::1]/", R.ADDRESS),
        ("\u0422ODO", R.PLACEHOLDER),
        ("&lt;timestamp&gt;", R.PLACEHOLDER),
        ("\\[specific impact\\]", R.PLACEHOLDER),
        ("phx%5F" + "k3y" * 12, R.SECRET),
    ],
)
def test_a_place_in_our_systems_is_found_however_it_is_written(written: str, rule: PublicRule) -> None:
    """With other letters, other dots, in another number system, encoded, taken apart, or between marks."""
    assert rule in {it.rule for it in lint(f"Some users see errors at {written} now")}


@pytest.mark.parametrize(
    "text",
    [
        "Some users may experience delayed events. See [our page](https://status.example.com/i/1).",
        "Last updated: 2026-11-22 15:10 UTC",
        "Since 2026-11-22T15:10:00Z some users see errors. Next update:16:00 UTC.",
        "Our provider's error rates are high; users see PostHog's error page.",
        "Feature flags are outdated in the US region (us-east-1) since 10:15; version 2.10.3 helps.",
        "Acmecorporation is another company. A ratio of 3:1.",
        "The default settings; a mistake in our settings was corrected.",
        "100% of users see errors; 5%20 is no number. Terms & conditions; R&D.",
        "Use A/B tests _now_ or **later**; users wait.",
        "\u0414\u0430\u043d\u043d\u044b\u0435 \u0437\u0430\u0434\u0435\u0440\u0436\u0438\u0432.",
        "\u03a4\u03b1 \u03b4\u03b5\u03b4\u03bf\u03bc\u03ad\u03bd\u03b1 users.",
        "Dot plots are late. Reports from 2026-11-22 15:10:00 on; since 20261122 events wait.",
    ],
)
def test_ordinary_words_are_no_findings(text: str) -> None:
    """Times, links, versions, regions, and words that only begin like one of never_say."""
    assert lint(text, never_say=("Acme",)) == ()


def test_a_word_that_shows_nothing_is_in_no_text() -> None:
    """It would be in each of them."""
    assert lint("Some users see errors", never_say=("\u200b\u200b",)) == ()


def test_a_long_word_takes_no_time() -> None:
    """A pattern that tries each way to split it would need minutes."""
    assert lint("a-" * 3_000) == ()


@pytest.mark.parametrize(
    ("body", "well"),
    [
        ("We have an issue. Some users may see outdated flags. We are on it.", True),
        ("We identified the cause.\nWe are rolling it back.\nSome users saw errors.", False),
        ("", False),
    ],
)
def test_what_users_notice_comes_first(body: str, well: bool) -> None:
    """In the first two sentences, before what we do about it."""
    assert (R.IMPACT_FIRST not in [it.rule for it in lint_message("Issue", body)]) is well


AREAS = (
    Affected(),
    Affected(areas=tuple(ProductArea), regions=("US", "EU")),
    Affected(areas=(ProductArea.INGESTION,), regions=("EU",), well=(ProductArea.FEATURE_FLAGS,)),
)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("impact", list(PublicImpact))
@pytest.mark.parametrize("affected", AREAS)
@pytest.mark.parametrize("title", ["", "Checkout"])
def test_the_shipped_template_has_no_finding(
    state: State, impact: PublicImpact, affected: Affected, title: str
) -> None:
    """In no state, and with no impact."""
    of: Incident = incident(decided(), *([resolved()] if state is State.RESOLVED else []))
    made = message_facts(
        of, state=state, policy=Policy(), now=OPENED, commander="", update_interval=None, public_title=title
    ).model_copy(update={"public_impact": impact, "affected": affected})
    message = external_message(made)
    assert lint_message(message.title, message.body, never_say=("Acme",)) == ()


@pytest.mark.parametrize("title", ["[service]", "db-3.eu.internal", "Acme"])
def test_the_title_of_the_settings_is_looked_over_too(title: str) -> None:
    """It stands in the title and in the sentences."""
    made = message_facts(
        incident(decided()),
        state=State.IDENTIFIED,
        policy=Policy(),
        now=OPENED,
        commander="",
        update_interval=None,
        public_title=title,
    )
    message = external_message(made)
    assert [it.word for it in lint_message(message.title, message.body, never_say=("acme",))] == [title]
