"""Two policies together: what both allow, whichever comes first, and what an edit of one says."""

from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.spec import Risk
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.switch import Switch
from runbook.approvals.identity import Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule, ApprovalRule
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.permissions import Permissions, edits, strictest
from runbook.policy.policy import Policy
from runbook.policy.public_policy import PublicPolicy
from tests.runbook.journals import ALERT
from tests.runbook.policy_samples import ONE, TWO

NO_AUTHORITY = {
    *(
        "service",
        "public_titles",
        "public",
        "healthy_words",
        "incident_commander",
        "calendar",
        "update_interval_minutes",
        "response_minutes",
        "nearing_share",
        "public_update_interval_minutes",
        "keep_days",
    ),
    *("error_rate_threshold", "complete_outage_share", "log_error_threshold", "log_window_seconds"),
    *("recent_rollout_seconds", "check_deadline_seconds", "remind_after_seconds", "escalate_after_seconds"),
    "approval_outage_seconds",
    *("takeover_after_seconds", "continuations_per_hour", "hold_seconds", "rollout_deadline_seconds"),
    *("success_deadline_seconds", "settle_seconds", "watch_poll_seconds", "watch_limit_seconds"),
    *("look_again_seconds", "look_again_limit_seconds", "facts_hold_seconds"),
    *("maintenance", "listed_maintenance_suppresses_paging", "flapping_quiet_seconds"),
    *("evidence_due_seconds", "evidence_window_seconds"),
}
"""What an incident takes from the present policy: thresholds, clocks and names, which allow nothing."""

SWITCHES = st.builds(Switch, variable=st.sampled_from("AB"), value=st.sampled_from("xy"))
SEVERITIES = st.none() | st.sampled_from(Severity)
NAMES = st.lists(st.sampled_from(["ana", "Ana", "bob", "cyd"]), max_size=3, unique=True).map(tuple)
SAMPLE = (Proof.API_TOKEN, Proof.OS_PEER)
PROOFS = st.sets(st.sampled_from(SAMPLE)).map(lambda found: tuple(item for item in SAMPLE if item in found))
RULES = st.builds(
    ApprovalRule,
    approvers=NAMES,
    count=st.integers(1, 2),
    accept_unverified=st.booleans(),
    proofs=PROOFS,
)
ACTS = st.builds(ActRule, approvers=NAMES, accept_unverified=st.booleans(), proofs=PROOFS)
KEYS = st.lists(st.sampled_from([ONE, TWO]), max_size=2, unique=True).map(tuple)


def persons(login: str, key: str) -> st.SearchStrategy[Person]:
    """A person with or without a login and a key."""
    return st.builds(Person, logins=st.sampled_from([(), (login,)]), keys=st.sampled_from([(), (key,)]))


PERSONS = st.fixed_dictionaries({}, optional={"ana": persons("al", ONE), "dan": persons("da", TWO)})
LOW_RISK = (RESTART_DEPLOYMENT.name, DELETE_POD.name)
PERMISSIONS = st.builds(
    Permissions,
    approvals=st.dictionaries(st.sampled_from(Risk), RULES, max_size=3),
    preapproved=st.dictionaries(
        st.sampled_from(LOW_RISK), st.lists(st.sampled_from(Severity), min_size=1, unique=True).map(tuple)
    ),
    acts=ACTS,
    people=PERSONS,
    receiver_keys=KEYS,
    undo_needs_approval=st.booleans(),
    dry_run_only=st.booleans(),
    changes_per_incident=st.integers(0, 3),
    changes_per_hour=st.integers(0, 3),
    memory_ceiling=st.sampled_from(["512Mi", "1Gi", "1024Mi", "2Gi"]),
    replicas_ceiling=st.integers(1, 5),
    replacement_key_block=st.sampled_from(["a", "b"]),
    queue_switch=SWITCHES,
    fallback_switch=SWITCHES,
    announce=st.booleans(),
    publish_from=SEVERITIES,
    publish_without_asking=st.sets(st.sampled_from(Severity)).map(lambda them: tuple(sorted(them))),
    page_from=SEVERITIES,
)


def test_every_part_of_the_policy_has_been_thought_about() -> None:
    """A new setting either carries authority, and says which value is stricter, or is listed as one that does
    not; and a new part of a rule is combined as the others are."""
    within_public = {"publish_without_asking"}
    assert set(Policy.model_fields) - NO_AUTHORITY == set(Permissions.model_fields) - within_public
    assert set(PublicPolicy.model_fields) - {"never_say"} == within_public
    assert set(Policy.model_fields) >= NO_AUTHORITY
    assert set(ApprovalRule.model_fields) == {"approvers", "count", "accept_unverified", "proofs"}
    assert set(Person.model_fields) == {"logins", "public_keys", "also", "counts_only"}


PEOPLE = ("ana", "bob", "cyd", "eve")


def allowed_by(permissions: Permissions) -> set[object]:
    """Everything of a list of things to do that a policy lets happen, by itself or with so many approvals."""
    policy = permissions.applied_to(Policy())
    allowed: set[object] = {
        ("approved", risk, people, proof)
        for risk in Risk
        for people in [(one,) for one in PEOPLE]
        + [(one, two) for one in PEOPLE for two in PEOPLE if one < two]
        for proof in (None, *SAMPLE)
        if _suffice(policy.rule_for(risk), people, proof)
    }
    allowed |= {
        ("act", name, proof)
        for name in PEOPLE
        for proof in (None, *SAMPLE)
        if _suffice(ApprovalRule(**dict(policy.acts)), (name,), proof)
    }
    allowed |= {("receiver", key) for key in (None, ONE, TWO) if key in (policy.receiver_keys or (key,))}
    allowed |= {("preapproved", name, at) for name, levels in policy.preapproved.items() for at in levels}
    allowed |= {("change", number) for number in range(policy.changes_per_incident)}
    allowed |= {("change within an hour", number) for number in range(policy.changes_per_hour)}
    allowed |= {("memory", n) for n in range(5) if n * 2**29 <= memory_bytes(policy.memory_ceiling)}
    allowed |= {("replicas", number) for number in range(policy.replicas_ceiling + 1)}
    allowed |= {("publish", severity) for severity in Severity if policy.publishes(severity)}
    allowed |= {("publish unasked", severity) for severity in policy.public.publish_without_asking}
    allowed |= {("page", severity) for severity in Severity if policy.pages(severity)}
    flags = {
        "undo": not policy.undo_needs_approval,
        "change anything": not policy.dry_run_only,
        "announce": policy.announce,
    }
    return allowed | {name for name, given_ in flags.items() if given_}


def _suffice(rule: ApprovalRule, people: tuple[str, ...], proof: Proof | None) -> bool:
    known = {name.casefold() for name in rule.approvers}
    may = [name for name in people if not known or name in known]
    proven = proof is not None and (not rule.proofs or proof in rule.proofs)
    return len(may) >= rule.count and (proven or rule.accept_unverified)


@given(PERMISSIONS, PERMISSIONS)
def test_two_policies_together_allow_exactly_what_both_allow(one: Permissions, two: Permissions) -> None:
    """Never more than either, and no less than what they have in common."""
    together = allowed_by(strictest(one, two))
    both = allowed_by(one) & allowed_by(two)
    assert together <= both
    people = ("approved", "act")
    assert both - together <= {item for item in both if isinstance(item, tuple) and item[0] in people}


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_how_policies_are_combined_makes_no_difference(
    one: Permissions, two: Permissions, three: Permissions
) -> None:
    """Twice is once, and the order of combining is no matter; nor, but for names, which one comes first."""
    assert strictest(one, one) == one.model_copy(update={"preapproved": strictest(one, one).preapproved})
    assert strictest(strictest(one, two), two) == strictest(one, two)
    assert strictest(one, strictest(two, three)) == strictest(strictest(one, two), three)
    assert allowed_by(strictest(one, two)) == allowed_by(strictest(two, one))


@given(PERMISSIONS, PERMISSIONS)
def test_what_is_not_ordered_stays_as_it_was_at_the_opening(one: Permissions, two: Permissions) -> None:
    """Whoever edits the name of the key's block does not choose the key of an incident that is open."""
    together = strictest(one, two)
    for name in ("replacement_key_block", "queue_switch", "fallback_switch"):
        assert getattr(together, name) == getattr(one, name)


@given(PERMISSIONS, PERMISSIONS)
def test_an_edit_says_from_what_to_what_and_whether_it_applies(one: Permissions, two: Permissions) -> None:
    """What applies is what the combination has; equal policies have no edits, and others have some."""
    found = edits(one, two)
    assert bool(found) == (one.digest != two.digest)
    assert all(change.before != change.after for change in found)
    if all(change.applied for change in found):
        assert allowed_by(strictest(one, two)) == allowed_by(two)


@given(PERMISSIONS)
def test_the_journal_gives_back_what_was_noted(permissions: Permissions) -> None:
    """A later process compares with the very same value."""
    event = e.IncidentOpened(alert=ALERT, permissions=permissions)
    read = e.EVENT.validate_json(e.EVENT.dump_json(event))
    assert isinstance(read, e.IncidentOpened)
    assert read == event
    assert read.permissions is not None
    assert read.permissions.digest == permissions.digest
