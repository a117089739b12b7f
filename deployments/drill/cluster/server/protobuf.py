"""The little of protobuf's wire format that kubectl forces on an API server: lengths, text and nested
messages."""

from collections.abc import Mapping

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.server.errors import bad_request

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _DELIMITED = 0, 2


def message(field: int, payload: bytes) -> bytes:
    """One length-delimited field: text, or a message of its own."""
    return _varint(field << 3 | _DELIMITED) + _varint(len(payload)) + payload


def text(field: int, value: str) -> bytes:
    """One text field."""
    return message(field, value.encode())


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def fields(data: bytes) -> dict[int, bytes]:
    """A message's length-delimited fields by number; other fields are passed over. Raises ApiError 400."""
    found: dict[int, bytes] = {}
    at = 0
    try:
        while at < len(data):
            key, at = _read_varint(data, at)
            number, at = _read_varint(data, at)  # a length, or the value itself
            if key & 7 == _DELIMITED:
                found[key >> 3] = data[at : at + number]
                at += number
            elif key & 7 != _VARINT:
                raise bad_request("protobuf: unexpected wire type")
    except IndexError:
        raise bad_request("protobuf: unexpected end of the message") from None
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number, at
        shift += 7


_RESOURCE = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}
_NON_RESOURCE = {1: "path", 2: "verb"}


def decoded_review(kind: str, data: bytes) -> JsonObject:
    """A review in Kubernetes' protobuf envelope as its JSON form. Raises ApiError 400.

    Field numbers: k8s.io/api/authorization/v1/generated.proto.
    """
    if not data.startswith(_MAGIC):
        raise bad_request("the body is not in Kubernetes' protobuf encoding")
    spec = fields(fields(data[len(_MAGIC) :]).get(2, b"")).get(2, b"")
    if kind == "SelfSubjectRulesReview":
        return {"spec": {"namespace": fields(spec).get(1, b"").decode()}}
    if kind != "SelfSubjectAccessReview":
        return {}
    asked = fields(spec)
    if 2 in asked:
        return {"spec": {"nonResourceAttributes": _named(_NON_RESOURCE, asked[2])}}
    return {"spec": {"resourceAttributes": _named(_RESOURCE, asked.get(1, b""))}}


def _named(names: Mapping[int, str], data: bytes) -> JsonObject:
    return {names[number]: value.decode() for number, value in fields(data).items() if number in names}
