"""An approver may change the parameters of an action at its gate, within bounds."""

import pytest

from runbook.actions.catalogue import CATALOGUE, PlannedAction
from runbook.actions.parameters import edited
from runbook.actions.spec import ActionName
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT, memory_flaw
from runbook.actions.specs.scale import SCALE as SCALE_SPEC
from runbook.actions.specs.scale import replicas_flaw
from runbook.approvals.gates import InvalidAnswer
from runbook.policy.policy import Policy
from tests.runbook.journals import FALLBACK, TARGET

POLICY = Policy(memory_ceiling="2Gi", replicas_ceiling=10)
MEMORY = PlannedAction(
    id="2-raise-memory-limit",
    name=RAISE_MEMORY_LIMIT.name,
    target=TARGET,
    because="pods were killed for memory",
    parameters={"memory": "512Mi"},
)
SCALE = MEMORY.model_copy(
    update={"id": "2-scale", "name": SCALE_SPEC.name, "parameters": {"replicas": "1", "other": "x"}}
)


@pytest.mark.parametrize(
    ("action", "parameters", "result"),
    [
        (MEMORY, {"memory": "768Mi"}, {"memory": "768Mi"}),
        (MEMORY, {"memory": "2Gi"}, {"memory": "2Gi"}),
        (MEMORY, {"memory": "2048Mi"}, {"memory": "2Gi"}),
        (MEMORY, {"memory": "0.5Gi"}, {"memory": "512Mi"}),
        (MEMORY, {"memory": " 1e9\n"}, {"memory": "1G"}),
        (SCALE, {"replicas": "10"}, {"replicas": "10", "other": "x"}),
        (SCALE, {"replicas": " 03 "}, {"replicas": "3", "other": "x"}),
    ],
)
def test_edited_parameter_is_written_as_the_cluster_gives_it_back(
    action: PlannedAction, parameters: dict[str, str], result: dict[str, str]
) -> None:
    """Reading 1Gi after asking for 1024Mi must not look like somebody else's change; the rest stays."""
    changed = edited(action, parameters, policy=POLICY)
    assert changed == action.model_copy(update={"parameters": result})


@pytest.mark.parametrize(
    ("action", "parameters", "said"),
    [
        (MEMORY, {"memory": "3Gi"}, r"memory: 3Gi is above the ceiling of 2Gi \(\[policy\] memory_ceiling\)"),
        (MEMORY, {"memory": "2147483649"}, "above the ceiling"),
        (MEMORY, {"memory": "0"}, "memory: it must be greater than zero"),
        (MEMORY, {"memory": "-1Gi"}, "memory: '-1Gi' is not an amount of memory"),
        (MEMORY, {"memory": "lots"}, "'lots' is not an amount of memory: write 512Mi or 1Gi"),
        (MEMORY, {"replicas": "3"}, "'replicas' cannot be changed here; what can be: memory"),
        (MEMORY, {"memory": "1Gi", "pod": "web-1"}, "'pod' cannot be changed here"),
        (SCALE, {"replicas": "0"}, r"'0' is not a number from 1 to 10 \(\[policy\] replicas_ceiling\)"),
        (SCALE, {"replicas": "11"}, "'11' is not a number from 1 to 10"),
        (SCALE, {"replicas": "-1"}, "'-1' is not a number"),
        (SCALE, {"replicas": "2.5"}, "'2.5' is not a number"),
        (SCALE, {"replicas": ""}, "'' is not a number"),
        (SCALE, {"replicas": "²"}, "'²' is not a number"),
        (FALLBACK, {"value": "false"}, "'value' cannot be changed here; what can be: nothing"),
    ],
)
def test_edit_out_of_bounds_is_refused_and_names_the_bound(
    action: PlannedAction, parameters: dict[str, str], said: str
) -> None:
    """Neither a bound nor the list of what may be changed can be got round by a form."""
    with pytest.raises(InvalidAnswer, match=said):
        edited(action, parameters, policy=POLICY)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_editable_parameter_has_bounds(name: ActionName) -> None:
    """A parameter that the catalogue lets people change is one that is checked."""
    for parameter in CATALOGUE[name].editable:
        action = MEMORY.model_copy(update={"name": name})
        with pytest.raises(InvalidAnswer, match=parameter.name):
            edited(action, {parameter.name: "-1"}, policy=POLICY)


def test_bounds_are_those_of_the_policy() -> None:
    """The same value is in or out of bounds as the configuration says."""
    assert memory_flaw("3Gi", Policy(memory_ceiling="4Gi")) is None
    assert memory_flaw("3Gi", POLICY) is not None
    assert replicas_flaw("11", Policy(replicas_ceiling=11)) is None
    assert replicas_flaw("11", POLICY) is not None
