"""Prefect copies the models among a flow's or task's parameters, and comes through each of ours."""

from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import pytest
from prefect.utilities.collections import visit_collection
from pydantic import BaseModel

import blocks
import deployments
import runbook
from runbook.approvals.people import Person
from runbook.policy.policy import Policy
from tests.runbook.approvals.test_authority import PEOPLE


def test_known_people_with_their_keys_pass_through_prefect() -> None:
    """`[policy.people.ana]` in the settings breaks no run, and comes out as it went in."""
    seen: list[object] = []

    def look(item: object) -> object:
        seen.append(item)
        return item

    assert visit_collection(PEOPLE, visit_fn=look, return_data=True) == PEOPLE
    assert PEOPLE.people["ana"].public_keys[0] in seen


def test_the_keys_of_a_person_are_called_keys_wherever_they_are_written() -> None:
    """In settings, blocks and journals, also of an earlier release."""
    person = Person(public_keys=PEOPLE.people["ana"].public_keys)
    assert list(person.model_dump(exclude_defaults=True)) == ["keys"]
    assert Person.model_validate_json(person.model_dump_json()) == person
    policy = Policy(people={"ana": person})
    assert policy.model_dump(mode="json")["people"]["ana"]["keys"] == list(person.public_keys)
    assert person.model_copy(update={"logins": ("al",)}).public_keys == person.public_keys


@pytest.mark.parametrize("layer", [runbook, blocks, deployments], ids=lambda layer: layer.__name__)
def test_no_model_has_a_field_that_makes_it_look_like_a_mapping(layer: ModuleType) -> None:
    """`dict(model)` asks for `keys` first, and calls it."""
    for module in walk_packages(layer.__path__, f"{layer.__name__}."):
        if "migrations" not in module.name and "__main__" not in module.name:
            import_module(module.name)
    ours = [kind for kind in subclasses(BaseModel) if kind.__module__.startswith(f"{layer.__name__}.")]
    assert ours
    assert [kind.__qualname__ for kind in ours if "keys" in kind.model_fields] == []


def subclasses(kind: type[BaseModel]) -> list[type[BaseModel]]:
    """All classes that derive from it."""
    return [each for child in kind.__subclasses__() for each in (child, *subclasses(child))]
