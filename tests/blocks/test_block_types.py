"""Every block as Prefect's UI shows it: named, described, and with its secrets marked as such."""

import re

import pytest
from prefect.blocks.core import Block
from prefect.filesystems import LocalFileSystem
from prefect.types import SecretDict
from pydantic import SecretStr, ValidationError

from blocks.environment import block_types

OURS = sorted(
    (kind for kind in block_types().values() if kind is not LocalFileSystem), key=lambda kind: kind.__name__
)
SECRET_TABLES = re.compile(r"headers|credentials")
SECRET_WORDS = re.compile(r"token|password|api_key$|routing_key|kubeconfig_yaml|proxy")


@pytest.mark.parametrize("kind", OURS)
def test_a_block_says_what_it_is(kind: type[Block]) -> None:
    """Type, slug and description are there; slugs are ours by their prefix and kebab-case."""
    assert re.fullmatch(r"runbook-[a-z]+(-[a-z]+)*", kind.get_block_type_slug())
    assert str(kind.get_block_type_name()).startswith("Runbook ")
    assert kind.get_description()


@pytest.mark.parametrize("kind", OURS)
def test_every_setting_is_titled_and_described(kind: type[Block]) -> None:
    """Who fills in the form in the UI needs no source code."""
    for name, field in kind.model_fields.items():
        assert field.title, name
        assert field.description, name


@pytest.mark.parametrize("kind", OURS)
def test_whatever_is_named_like_a_secret_is_one(kind: type[Block]) -> None:
    """Tokens, keys and passwords are secret fields, which Prefect encrypts and masks."""
    for name, field in kind.model_fields.items():
        if SECRET_WORDS.search(name):
            assert field.annotation in (SecretStr, SecretStr | None), name
        if SECRET_TABLES.search(name):
            assert field.annotation is SecretDict, name


@pytest.mark.parametrize("kind", [kind for kind in OURS if kind.model_json_schema()["secret_fields"]])
def test_a_block_that_cannot_be_loaded_shows_no_secret(kind: type[Block]) -> None:
    """What is wrong with a saved block is told without the values beside it."""
    canary = "canary0Q7zX4bV9nM2kL8"
    wrong = {name: [canary] for name in kind.model_fields}
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(wrong)
    assert canary not in str(caught.value)
