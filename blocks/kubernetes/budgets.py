"""Which PodDisruptionBudgets count which pods.

Source: LabelSelector in Kubernetes' API reference, and policy/v1, in which an empty selector selects all pods
of the namespace and a missing one none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from blocks.kubernetes.revisions import Object


def budgets_of(pods: Sequence[Object], budgets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The budgets that count at least one of the pods."""
    labels = [pod["metadata"].get("labels") or {} for pod in pods]
    return [budget for budget in budgets if any(selects(budget["spec"].get("selector"), of) for of in labels)]


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects an object with these labels."""
    if selector is None:
        return False
    exact = (labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return all(exact) and all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return True  # an operator of a newer server: count the budget rather than overlook it
