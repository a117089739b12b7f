"""The exact change to a Kubernetes object, as a unified diff of its YAML with secrets masked."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from pydantic import JsonValue

from runbook.outside_text import normal, spelled_out
from runbook.redaction import LAST_APPLIED, MARK, kind_of, mark, redact, redact_value, secret_name
from runbook.redaction.words import is_harmless

SERVER_METADATA = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
"""Fields of `metadata` that the API server writes; they change with every write and say nothing."""

CONTEXT_LINES = 3

Path = tuple[str, ...]
Leaf = tuple[JsonValue, JsonValue]
"""A scalar as it is and as it is shown."""


def unified_diff(
    before: Mapping[str, JsonValue] | None, after: Mapping[str, JsonValue] | None, *, name: str
) -> str:
    """What changes from `before` to `after`, empty where nothing does; `None` is an object that is not there.

    Server-written metadata, kubectl's last-applied copy and the status are left out, keys are sorted. A
    masked value that changes shows as `[redacted:api-key, changed]`; no fingerprint of it is shown, since
    likely values could be tried against one. What is not shown, or steers what shows it, is spelled out:
    whoever approves a change sees all of it.
    """
    old, new = _without_noise(before), _without_noise(after)
    old_masked, new_masked = _masked(old), _masked(new)
    hidden = dict(_leaves(old, old_masked))
    new_marked = _mark_changes(new, new_masked, hidden)
    lines = difflib.unified_diff(
        _yaml_lines(old_masked),
        _yaml_lines(new_marked),
        fromfile=f"{name} (live)",
        tofile=f"{name} (after)",
        n=CONTEXT_LINES,
        lineterm="",
    )
    return "\n".join(masked_lines(lines))


def changed_lines(before: Mapping[str, JsonValue] | None, after: Mapping[str, JsonValue] | None) -> str:
    """What changes, as the lines of a unified diff that begin with + or -, masked as there.

    The object's own annotations are left out: anything may write one, at any time.
    """
    lines = unified_diff(_without_annotations(before), _without_annotations(after), name="").splitlines()
    return "\n".join(line for line in lines[2:] if line.startswith(("+", "-")))


def _without_annotations(manifest: Mapping[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    if manifest is None:
        return None
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        return dict(manifest)
    kept = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**manifest, "metadata": kept}


def manifest_text(manifest: Mapping[str, JsonValue]) -> str:
    """The object as people see it in a diff: YAML, secrets masked, without what the server writes."""
    return "\n".join(masked_lines(_yaml_lines(_masked(_without_noise(manifest)))))


def masked_lines(lines: Iterable[str]) -> list[str]:
    """The lines of a manifest or a diff, masked as text: a variable's value by the name on the line before.

    Their values are masked already, by what they are; this is for what only shows where it is written.
    """
    masked: list[str] = []
    name = ""
    for line in lines:
        text = redact(line)
        value = _VARIABLE_VALUE.fullmatch(text)
        if value and secret_name(name) and not _says_nothing(value["value"]):
            text = f"{value['keep']}{mark(kind_of(name))}"
        masked.append(text)
        if not value:  # the old value and the new one follow each other
            named = _VARIABLE_NAME.fullmatch(line)
            name = named["name"] if named else ""
    return masked


_VARIABLE_NAME = re.compile(r"[ +-]?\s*(?:- )?name:\s*[\"']?(?P<name>[^\s\"']+)[\"']?")
_VARIABLE_VALUE = re.compile(r"(?P<keep>[ +-]?\s*value:\s*)(?P<value>\S.*)")


def _says_nothing(value: str) -> bool:
    bare = value.strip("\"'")
    return not bare or bool(MARK.fullmatch(bare)) or is_harmless(bare)


def _masked(value: JsonValue) -> JsonValue:
    return redact_value(_visible(value))


def _visible(value: JsonValue) -> JsonValue:
    """The texts with everything in them spelled out, but for those that hide a secret that way."""
    if isinstance(value, str):
        plain = normal(value)
        return spelled_out(value) if redact(plain) == plain else plain
    if isinstance(value, dict):
        return {spelled_out(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return value


def _without_noise(manifest: Mapping[str, JsonValue] | None) -> JsonValue:
    if manifest is None:
        return None
    return _clean({key: value for key, value in manifest.items() if key != "status"})


def _clean(value: JsonValue, *, within: str = "") -> JsonValue:
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    noise = {"metadata": SERVER_METADATA, "annotations": frozenset({LAST_APPLIED})}.get(within, frozenset())
    return {key: _clean(item, within=key) for key, item in value.items() if key not in noise}


def _leaves(raw: JsonValue, masked: JsonValue, path: Path = ()) -> Iterator[tuple[Path, Leaf]]:
    if isinstance(raw, dict) and isinstance(masked, dict):
        for (key, item), shown in zip(raw.items(), masked.values(), strict=False):
            yield from _leaves(item, shown, (*path, key))
    elif isinstance(raw, list) and isinstance(masked, list):
        for index, (item, shown) in enumerate(zip(raw, masked, strict=False)):
            yield from _leaves(item, shown, (*path, _place(item, index)))
    else:
        yield path, (raw, masked)


def _mark_changes(raw: JsonValue, masked: JsonValue, before: dict[Path, Leaf], path: Path = ()) -> JsonValue:
    """The masked value, with a note where masking hides a change."""
    if isinstance(raw, dict) and isinstance(masked, dict):
        return {
            key: _mark_changes(item, shown, before, (*path, raw_key))
            for (raw_key, item), (key, shown) in zip(raw.items(), masked.items(), strict=False)
        }
    if isinstance(raw, list) and isinstance(masked, list):
        return [
            _mark_changes(item, shown, before, (*path, _place(item, index)))
            for index, (item, shown) in enumerate(zip(raw, masked, strict=False))
        ]
    old_raw, old_masked = before.get(path, (raw, None))
    if isinstance(masked, str) and masked == old_masked and raw != old_raw:
        return MARK.sub(lambda found: f"{found.group().split(',')[0].rstrip(']')}, changed]", masked)
    return masked


def _place(item: JsonValue, index: int) -> str:
    """Where an item of a list belongs: Kubernetes merges containers, variables and volumes by their name."""
    name = item.get("name") if isinstance(item, dict) else None
    return f"name={name}" if isinstance(name, str) else f"index={index}"


class _Readable(yaml.CSafeDumper):
    """YAML for people: strings over several lines stay over several lines.

    Written by libyaml, which is ten times faster, and escapes line ends that only Unicode knows.
    """


def _represent_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _represent_text)


def _yaml_lines(value: JsonValue) -> list[str]:
    if value is None:
        return []
    options: dict[str, Any] = {"sort_keys": True, "default_flow_style": False, "allow_unicode": True}
    text: str = yaml.dump(value, Dumper=_Readable, width=10_000, **options)
    return text.splitlines()
