"""The person who is called gets the very commands that take a change back."""

import pytest

from runbook.actions.by_hand import Target, deletion_commands, switch_off_command, undo_commands
from runbook.actions.catalogue import CATALOGUE, ChangePlan, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import DISABLE_REQUEST_QUEUE, ENABLE_REQUEST_QUEUE
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from tests.runbook.journals import TARGET

DEPLOYMENT = Target(
    namespace="shop",
    kind="deployment",
    name="posthog-integration",
    container="web",
    secret_name="posthog-secrets",
    secret_key="api-key",
)
STATEFUL = DEPLOYMENT.model_copy(update={"kind": "statefulset"})
LOOK = "kubectl -n shop rollout status deployment/posthog-integration"


def done(name: ActionName, before: dict[str, str | None] | None = None) -> ChangePlan:
    """A change that was made, with what it found."""
    action = PlannedAction(id=f"1-{name}", name=name, target=TARGET, because="it was broken")
    return ChangePlan(action=action, before=before or {})


@pytest.mark.parametrize(
    ("name", "before", "commands"),
    [
        (
            ENABLE_FALLBACK.name,
            {"env POSTHOG_FALLBACK of web": None},
            ["set env deployment/posthog-integration -c web POSTHOG_FALLBACK-"],
        ),
        (
            DISABLE_FALLBACK.name,
            {"env POSTHOG_FALLBACK of web": "true"},
            ["set env deployment/posthog-integration -c web POSTHOG_FALLBACK=true"],
        ),
        (
            ENABLE_REQUEST_QUEUE.name,
            {"env RATE_LIMIT_MODE of proxy": "drop"},
            ["set env deployment/posthog-integration -c proxy RATE_LIMIT_MODE=drop"],
        ),
        (
            DISABLE_REQUEST_QUEUE.name,
            {"env RATE_LIMIT_MODE of web": ""},
            ["set env deployment/posthog-integration -c web RATE_LIMIT_MODE="],
        ),
        (
            ENABLE_FALLBACK.name,
            {"env POSTHOG_FALLBACK of web": "no; kubectl delete ns shop"},
            ["set env deployment/posthog-integration -c web 'POSTHOG_FALLBACK=no; kubectl delete ns shop'"],
        ),
        (
            RAISE_MEMORY_LIMIT.name,
            {"memory limit of web": "256Mi"},
            ["set resources deployment/posthog-integration -c web --limits=memory=256Mi"],
        ),
        (SCALE.name, {"replicas": "0"}, ["scale deployment/posthog-integration --replicas=0"]),
        (
            REPLACE_API_KEY.name,
            {},
            [
                "patch secret posthog-secrets --type=json "
                """-p='[{"op":"copy","from":"/data/api-key-previous","path":"/data/api-key"}]'""",
                "rollout restart deployment/posthog-integration",
            ],
        ),
        (
            ROLL_BACK.name,
            {"replaced revision": "5c9", "chosen revision": "7f8"},
            [
                "rollout history deployment/posthog-integration",
                "rollout undo deployment/posthog-integration",
            ],
        ),
        (RESTART_DEPLOYMENT.name, {}, []),
        (DELETE_POD.name, {}, []),
    ],
)
def test_commands_take_exactly_this_change_back_and_end_with_a_look(
    name: ActionName, before: dict[str, str | None], commands: list[str]
) -> None:
    """Word for word, in the right namespace and container, ready to be pasted into a shell."""
    expected = (*(f"kubectl -n shop {command}" for command in commands), LOOK)
    assert undo_commands(done(name, before), DEPLOYMENT) == expected


def test_commands_name_the_kind_of_workload() -> None:
    """A StatefulSet is addressed as one."""
    assert undo_commands(done(SCALE.name, {"replicas": "3"}), STATEFUL) == (
        "kubectl -n shop scale statefulset/posthog-integration --replicas=3",
        "kubectl -n shop rollout status statefulset/posthog-integration",
    )


def test_a_roll_back_is_taken_back_to_the_revision_that_it_replaced() -> None:
    """By its number, where the plan knows it: by then another one may be the newest."""
    plan = done(ROLL_BACK.name)
    action = plan.action.model_copy(update={"parameters": {"from_revision": "7"}})
    undo = "kubectl -n shop rollout undo deployment/posthog-integration --to-revision=7"
    assert undo in undo_commands(plan.model_copy(update={"action": action}), DEPLOYMENT)


def test_a_pod_that_holds_a_rollout_up_is_deleted_by_name() -> None:
    """With a look at the rollout, which then goes on."""
    assert deletion_commands("posthog-integration-2", STATEFUL) == (
        "kubectl -n shop delete pod posthog-integration-2",
        "kubectl -n shop rollout status statefulset/posthog-integration",
    )


@pytest.mark.parametrize("name", [name for name, spec in CATALOGUE.items() if spec.reversible])
def test_no_command_holds_a_secret(name: ActionName) -> None:
    """A key is copied within the cluster; nothing of a plan but names and former settings gets out."""
    key = "phx_abcdef0123456789abcdef0123456789"
    plan = done(name, {"replicas": "3"}).model_copy(
        update={"diff": key, "live": key, "basis": {"replacement key": key}, "affects": (key,)}
    )
    assert key not in "\n".join(undo_commands(plan, DEPLOYMENT))


@pytest.mark.parametrize(
    ("before", "setting"),
    [({"env RATE_LIMIT_MODE of web": "direct"}, "RATE_LIMIT_MODE=direct"), ({}, "RATE_LIMIT_MODE-")],
)
def test_a_switch_is_taken_off_by_putting_back_what_was(before: dict[str, str | None], setting: str) -> None:
    """A variable is removed only where nothing is known of the time before."""
    command = switch_off_command("RATE_LIMIT_MODE", DEPLOYMENT, done(ENABLE_REQUEST_QUEUE.name, before))
    assert command.endswith(f"set env deployment/posthog-integration -c web {setting}")
