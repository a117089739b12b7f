"""Label and field selectors, in the grammar that list and watch requests carry.

Source: k8s.io/apimachinery/pkg/labels and pkg/fields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from deployments.drill.cluster.objects import JsonObject, labels_of
from deployments.drill.cluster.server.errors import bad_request

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"^({_KEY})\s+(in|notin)\s*\(\s*({_VALUE}(?:\s*,\s*{_VALUE})*)\s*\)$")
_EQUALITY = re.compile(rf"^({_KEY})\s*(==|=|!=)\s*({_VALUE})$")
_EXISTENCE = re.compile(rf"^(!?)\s*({_KEY})$")
_COMMA_OUTSIDE_PARENTHESES = re.compile(r",(?![^(]*\))")


def label_selector(text: str) -> Requirement:
    """The predicate that a label selector means; an empty one selects everything. Raises ApiError 400."""
    parts = [part.strip() for part in _COMMA_OUTSIDE_PARENTHESES.split(text)] if text.strip() else []
    requirements = [_requirement(part) for part in parts]
    return lambda labels: all(holds(labels) for holds in requirements)


def _requirement(part: str) -> Requirement:
    if found := _SET.match(part):
        key, operator = found[1], found[2]
        values = {value.strip() for value in found[3].split(",")}
        # notin and != also select objects that have no such label.
        return _in(key, values) if operator == "in" else _not_in(key, values)
    if found := _EQUALITY.match(part):
        key, operator, value = found[1], found[2], found[3]
        return _not_in(key, {value}) if operator == "!=" else _in(key, {value})
    if found := _EXISTENCE.match(part):
        key, wanted = found[2], not found[1]
        return lambda labels: (key in labels) == wanted
    raise bad_request(
        f'unable to parse requirement: found "{part}", expected: a label selector such as app=name'
    )


def _in(key: str, values: set[str]) -> Requirement:
    return lambda labels: labels.get(key) in values


def _not_in(key: str, values: set[str]) -> Requirement:
    return lambda labels: labels.get(key) not in values


def matches_selector(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether labels satisfy a LabelSelector object (`matchLabels`, `matchExpressions`)."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression_holds(each, labels) for each in selector.get("matchExpressions") or [])


def _expression_holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    key, values = expression["key"], set(expression.get("values") or [])
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


_FIELDS: dict[str, tuple[str, ...]] = {
    "": ("metadata.name", "metadata.namespace"),
    "Pod": ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
    "Secret": ("type",),
    "Namespace": ("status.phase",),
    "ReplicaSet": ("status.replicas",),
}  # fmt: skip


def field_selector(text: str, kind: str) -> Callable[[JsonObject], bool]:
    """The predicate that a field selector text means for a kind. Raises ApiError 400 for a field it lacks."""
    terms: list[tuple[str, str, bool]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        field, operator, value = _field_term(part)
        if field not in (*_FIELDS[""], *_FIELDS.get(kind, ())):
            raise bad_request(f"field label not supported: {field}")
        terms.append((field, value, operator != "!="))
    return lambda obj: all((_field(obj, field) == value) == wanted for field, value, wanted in terms)


def _field_term(part: str) -> tuple[str, str, str]:
    found = re.match(r"^([^=!]+)(==|=|!=)(.*)$", part)
    if not found:
        raise bad_request(f'invalid field selector: "{part}"; can\'t understand "{part}"')
    return found[1], found[2], found[3]


def _field(obj: JsonObject, path: str) -> str:
    value: Any = obj
    for step in ["source", "component"] if path == "source" else path.split("."):
        value = value.get(step, "") if isinstance(value, Mapping) else ""
    return str(value)


def selects(labels_text: str, fields_text: str, kind: str) -> Callable[[JsonObject], bool]:
    """Both selectors of a list or watch request as one predicate over objects. Raises ApiError 400."""
    by_labels, by_fields = label_selector(labels_text), field_selector(fields_text, kind)
    return lambda obj: by_labels(labels_of(obj)) and by_fields(obj)
