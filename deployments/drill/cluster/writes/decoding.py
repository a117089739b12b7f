"""Decoding of what a client sends: types are checked, unknown fields dropped and reported.

The shape of each kind is taken from the models of the official Python client, which are generated from the
real server's OpenAPI document.
"""

import base64
import binascii
import re
from functools import cache
from typing import Any

from kubernetes import client as models

from deployments.drill.cluster.kinds import Kind
from deployments.drill.cluster.objects import JsonObject

_LIST = re.compile(r"^[Ll]ist\[(.+)\]$")
_MAP = re.compile(r"^[Dd]ict\(?\[?str, (.+)\]\)?$")
_GO_TYPES = {"str": "string", "int": "int32", "bool": "bool", "float": "float64", "datetime": "time.Time"}
_QUANTITY_MAPS = ("limits", "requests", "capacity", "allocatable", "overhead")


class DecodingError(ValueError):
    """The JSON cannot be an object of its kind; the text is what the real decoder says."""


def decoded(kind: Kind, obj: JsonObject) -> tuple[JsonObject, list[str]]:
    """The object without nulls and without fields its kind does not have, and the paths of the latter.

    Raises DecodingError for a value of the wrong type.
    """
    unknown: list[str] = []
    return _model(kind.model, obj, "", unknown), unknown


@cache
def _fields(model: str) -> dict[str, str]:
    described = getattr(models, model)
    return {described.attribute_map[name]: declared for name, declared in described.openapi_types.items()}


def _model(model: str, value: Any, path: str, unknown: list[str]) -> JsonObject:
    if not isinstance(value, dict):
        raise _mismatch(value, path, model.removeprefix("V1"))
    fields = _fields(model)
    result: JsonObject = {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else key
        if key not in fields:
            unknown.append(where)
        elif item is not None:
            result[key] = _value(fields[key], item, where, unknown)
    return result


def _value(declared: str, value: Any, path: str, unknown: list[str]) -> Any:
    if found := _LIST.match(declared):
        if not isinstance(value, list):
            raise _mismatch(value, path, "[]" + found[1].removeprefix("V1"))
        return [_value(found[1], item, f"{path}[{n}]", unknown) for n, item in enumerate(value)]
    if found := _MAP.match(declared):
        return _map(found[1], value, path, unknown)
    if declared in ("object", "str", "int", "bool", "float", "datetime", "bytes"):
        return _primitive(declared, value, path)
    return _model(declared, value, path, unknown)


def _map(declared: str, value: Any, path: str, unknown: list[str]) -> JsonObject:
    if not isinstance(value, dict):
        raise _mismatch(value, path, "map[string]" + _GO_TYPES.get(declared, declared))
    if path.rpartition(".")[2] in _QUANTITY_MAPS:  # a quantity may be written as a number
        value = {key: str(item) if isinstance(item, int | float) else item for key, item in value.items()}
    return {
        key: _value(declared, item, f"{path}.{key}", unknown)
        for key, item in value.items()
        if item is not None
    }


def _primitive(declared: str, value: Any, path: str) -> Any:
    expected: dict[str, tuple[type, ...]] = {
        "str": (str,),
        "int": (int,),
        "float": (int, float),
        "datetime": (str,),
    }
    if declared == "object":  # int-or-string, and free-form values
        return value
    if declared == "bytes":
        _check_base64(value, path)
        return value
    if declared == "bool":
        fits = isinstance(value, bool)
    else:
        fits = isinstance(value, expected[declared]) and not isinstance(value, bool)
    if not fits:
        raise _mismatch(value, path, _GO_TYPES[declared])
    return value


def _check_base64(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise _mismatch(value, path, "[]uint8")
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        alphabet = re.match(r"[A-Za-z0-9+/]*", value)
        at = alphabet.end() if alphabet else 0
        raise DecodingError(f"illegal base64 data at input byte {at}") from None


def _mismatch(value: Any, path: str, expected: str) -> DecodingError:
    # No value in the text: it may be a secret.
    kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    found = kinds.get(type(value), "value")
    shown = re.sub(r"\[\d+\]", "", path)
    return DecodingError(f"json: cannot unmarshal {found} into Go struct field .{shown} of type {expected}")
