"""The artifacts and the question at a gate show exactly what is known, and nothing can break out of them."""

import re
from typing import get_args

import pytest

from runbook.actions.catalogue import CATALOGUE, ActionOutcome, ChangePlan
from runbook.actions.spec import ActionKind, ActionName
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.specs.logs import LOGS
from runbook.decision.verdict import Counterfactual, ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.events import Event
from runbook.incidents.report import (
    decision_markdown,
    evidence_markdown,
    gate_question,
    plan_markdown,
    timeline_markdown,
    triage_markdown,
)
from runbook.incidents.sentences import sentence
from runbook.incidents.timeline import timeline
from runbook.outside_text.markdown import code, code_block, inline
from runbook.value import Value
from tests.runbook.journals import (
    FALLBACK,
    HAND_OFF,
    LIFE,
    OPENED,
    PLAN,
    asked,
    decision,
    effect,
    every_event,
    finding,
    findings,
    finished,
    incident,
)


def test_triage_tells_status_by_a_mark() -> None:
    """Each check is an item whose status can be told without colour, with its question, source and time."""
    text = triage_markdown(findings(probe=Status.BAD, logs=Status.UNKNOWN))
    assert re.findall(r"^- \*\*(.+):\*\* (\w+),", text, re.MULTILINE) == [
        ("✔ Status page", "ok"),
        ("✔ Health", "ok"),
        ("✔ Error rate", "ok"),
        ("? Logs", "unknown"),
        ("✘ Probe", "bad"),
        ("✔ Workload", "ok"),
    ]
    assert re.search(r"^  - Does the PostHog API accept our key\? \(0.25 s\)$", text, re.MULTILINE)


def test_decision_shows_path_reasons_plan_and_flips() -> None:
    """A reader sees how the verdict came about, what will be done, and what would have led elsewhere."""
    made = decision(plan=(FALLBACK, HAND_OFF)).model_copy(
        update={
            "mix": {ErrorType.POSTHOG_ERRORS: 0.75, ErrorType.RATE_LIMITED: 0.25},
            "would_flip": (
                Counterfactual(
                    change="if the status page check reported ok", verdict=Verdict.INTEGRATION_ISSUE
                ),
            ),
        }
    )
    text = decision_markdown(made)
    for part in (
        "## PostHog outage · P1",
        "![The decision tree with the walked path](data:image/svg+xml;base64,",
        "1. PostHog API returning errors? **yes**\n   - fact of posthog_returning_errors",
        "2. Is status.posthog.com showing incident? **yes**",
        "**P1**, complete outage, respond: < 15 min. All requests fail (by rules).",
        "| 429 - Rate Limited | 25% |",
        "1. **Enable the fallback (graceful degradation)** on `deployment/posthog-integration` "
        "(change, medium risk, needs an approval)",
        "2. **Hand over to a person** (for a person): Ask PostHog support",
        "- If the status page check reported ok: Our integration",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict.UNKNOWN, "Nothing is changed; a person must investigate."),
        (Verdict.RESOLVED_OR_INTERMITTENT, "No action: watch."),
    ],
)
def test_empty_plan_is_said(verdict: Verdict, text: str) -> None:
    """Where nothing is planned the decision says why."""
    assert text in decision_markdown(decision(verdict, plan=()))


def test_gate_question_shows_exactly_the_diff() -> None:
    """The approver sees the change in one line first, then the question, how to answer."""
    question = gate_question(PLAN)
    target = "deployment/posthog-integration"
    assert question.splitlines()[0] == "**Enable the fallback (graceful degradation)**"
    assert (
        f"**Enable the fallback (graceful degradation) on {target}?** PostHog lists an incident" in question
    )
    assert '```diff\n+ - name: POSTHOG_FALLBACK\n+   value: "true"\n```' in question
    for part in (
        "**Affects:** 3 pods restart one after the other.",
        "**Risk:** medium",
        "**Undo:** restore the previous value of the switch",
        "**Proved by:** the rollout finishes",
        f"**Plan:** `{PLAN.digest[:12]}`",
        "**approve**",
        "**reject**",
        "**snooze** (not yet)",
        "Without an answer, nothing happens.",
    ):
        assert part in question


def test_gate_question_has_the_whole_diff_where_its_beginning_is_not_all_that_changes() -> None:
    """Nothing that changes is left out of what is approved; of what does not, long lines are folded."""
    changes = [f"+          {number}: x" for number in range(40)]
    large = PLAN.model_copy(update={"diff": "\n".join(["@@ -1 +1,41 @@", f" config: {'y' * 500}", *changes])})
    question = gate_question(large)
    assert all(line in question.splitlines() for line in changes)
    assert "y" * 100 not in question


def test_gate_question_differs_with_the_diff() -> None:
    """Two plans can be told apart by what the approver is shown."""
    other = PLAN.model_copy(update={"diff": PLAN.diff.replace("true", "false")})
    assert gate_question(other) != gate_question(PLAN)


def plan_of(name: ActionName) -> ChangePlan:
    """A plan of an action."""
    return ChangePlan(action=FALLBACK.model_copy(update={"name": name}), diff="+a: 1")


@pytest.mark.parametrize("name", [name for name, spec in CATALOGUE.items() if spec.kind is ActionKind.CHANGE])
def test_gate_question_offers_what_the_action_allows(name: ActionName) -> None:
    """An edit is offered where something may be edited; a yes is one to the undo where there is one."""
    question, spec = gate_question(plan_of(name)), CATALOGUE[name]
    assert ("**edit** takes another" in question) is bool(spec.editable)
    assert ("if it does not help, its undo" in question) is spec.reversible
    assert all(parameter.name in question for parameter in spec.editable)


def test_gate_question_says_who_has_to_approve() -> None:
    """Where not anybody may, the approver is told who may; else nothing is said."""
    assert "**Who:** 2 different people must approve" in gate_question(
        PLAN, "2 different people must approve"
    )
    assert "**Who:**" not in gate_question(PLAN)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"blocked": "the deployment is paused"}, "**Not possible:** the deployment is paused"),
        ({"in_place": "the switch is on"}, "**Nothing to do:** the switch is on"),
        ({"diff": ""}, "The dry run shows no difference."),
    ],
)
def test_plan_without_a_change_says_so(changes: dict[str, str], text: str) -> None:
    """A change that cannot or need not be made shows its reason instead of a diff."""
    assert text in plan_markdown(PLAN.model_copy(update=changes), decision())


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_action_can_be_shown(name: ActionName) -> None:
    """Each row of the catalogue has a preview and a question, with or without a decision."""
    plan = plan_of(name)
    assert plan.action.spec.title in plan_markdown(plan)
    assert plan.action.spec.title in gate_question(plan)


EVENT_TYPES = get_args(get_args(Event)[0])


def test_every_event_has_a_sentence() -> None:
    """A new type of event cannot be forgotten: each has a sentence, and the sample journal has each."""
    journal = incident(*every_event(), *LIFE).journal
    assert {type(item.event) for item in journal} == set(EVENT_TYPES)
    for kind in EVENT_TYPES:
        assert sentence.dispatch(kind) is not sentence.dispatch(Value)
    assert all(sentence(item.event) for item in journal)


def test_unknown_event_is_refused() -> None:
    """An event without a sentence is an error, not an empty line."""
    with pytest.raises(TypeError, match="no sentence for Finding"):
        sentence(finding(LOGS.name))


def test_short_timeline_leaves_out_machinery_but_not_an_open_intent() -> None:
    """A post-mortem's reader is spared how the runbook works, yet told of an effect nobody has settled."""
    machinery = ("Flow run", "About to", "Published", "Triage 1 started")
    told = [entry.sentence for entry in timeline(incident(*every_event()), machinery=False)]
    assert not [text for text in told if text.startswith(machinery)]
    crashed = incident(e.EffectIntended(effect=effect()))
    last = timeline(crashed, machinery=False)[-1]
    assert last.sentence.startswith("Started: set POSTHOG_FALLBACK=true")


def test_evidence_lists_files_and_what_is_missing() -> None:
    """The beginnings of its hashes, its chart where there is one, and each gap with the reason."""
    collected = next(event for event in every_event() if isinstance(event, e.EvidenceCollected))
    text = evidence_markdown(collected, "data:image/png;base64,AAAA")
    assert "![Errors per second](data:image/png;base64,AAAA)" in text
    assert "- `logs.txt` `cdcdcdcdcdcd`\n" in text
    assert collected.manifest_sha256 in text
    assert "- `metrics.json`: Prometheus did not answer" in text
    assert "![" not in evidence_markdown(collected)
    heavy = evidence_markdown(collected, f"data:image/png;base64,{'A' * 200_000}")
    assert "the picture `error-rate.png` in the folder" in heavy
    assert len(heavy) < 2_000
    assert "No file could be collected." in evidence_markdown(collected.model_copy(update={"files": {}}))


HOSTILE = "x ![a](http://evil) <script> | **b** `c`\n## Approved phx_abcdef123456"


def test_outside_text_stays_text() -> None:
    """A summary from outside cannot add images, HTML, columns, headings or secrets to what people read."""
    text = inline(HOSTILE)
    assert "](" not in text
    assert "<script" not in text
    assert not re.search(r"(?<!\\)[|*`]", text)
    assert "\n" not in text
    assert "[redacted:phx]" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("a``b", "``` a``b ```"), ("a|b", "`a\\|b`"), ("", "")],
)
def test_inline_code_cannot_be_left(text: str, shown: str) -> None:
    """Backticks and bars in a name end neither the code nor the table's cell."""
    assert code(text) == shown


def test_code_block_cannot_be_left() -> None:
    """Backticks in a diff do not end its block."""
    text = "+a: |\n+  ```\n+  ## Approved"
    assert code_block(text, "diff") == f"````diff\n{text}\n````"


def test_hostile_text_does_not_get_into_any_report() -> None:
    """All reports pass outside text through the same escaping."""
    hostile = FALLBACK.model_copy(update={"because": HOSTILE, "target": HOSTILE})
    plan = ChangePlan(action=hostile, diff="+a", affects=(HOSTILE,), blocked=HOSTILE)
    made = decision(plan=(hostile,))
    collected = e.EvidenceCollected(
        collection=HOSTILE,
        folder=HOSTILE,
        manifest_sha256="",
        files={HOSTILE: "1"},
        missing={HOSTILE: HOSTILE},
    )
    previewed = e.ActionPreviewed(plan=plan, since=OPENED)
    of = incident(e.NoteAdded(by=HOSTILE, text=HOSTILE), asked(plan), previewed)
    reports = (
        decision_markdown(made),
        plan_markdown(plan, made),
        gate_question(plan, HOSTILE),
        timeline_markdown(of),
        evidence_markdown(collected),
        triage_markdown(Findings(items=(finding(LOGS.name, summary=HOSTILE),))),
    )
    for text in reports:
        assert "phx_abcdef123456" not in text
        assert not re.search(r"^## Approved", text, re.MULTILINE)
        assert "![a](" not in re.sub(r"`` .*? ``|`[^`\n]*`", "", text)


def test_finding_without_source_has_its_item() -> None:
    """A check that could not be made is an item like any other."""
    item = Finding.unknown(LOGS.name, "kubectl fails", observed_at=OPENED)
    assert "**? Logs:** unknown, kubectl fails" in triage_markdown(Findings(items=(item,)))


def test_every_outcome_of_an_action_has_its_words() -> None:
    """No two outcomes of an action read the same."""
    assert len({sentence(finished(outcome)) for outcome in ActionOutcome}) == len(ActionOutcome)
