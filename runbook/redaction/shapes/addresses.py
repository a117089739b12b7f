"""Personal data: public IP addresses and e-mail addresses.

What is internal stays readable, since an incident cannot be understood without it: private, shared (RFC
6598), loopback, link-local, unique local and multicast addresses, and mail addresses of hosts such as
`cluster.local`. Addresses from the ranges for documentation count as public: they stand for clients in
examples.

Decisions, with their costs:

- Four numbers with dots after `v`, after a product's name and `/`, or next to `version`, `=`-comparisons and
  package names are a version: `Chrome/120.0.0.0`, `foo-1.2.3.4.jar`, `pkg==1.2.3.4`. After `/` they are an
  address where a port follows or a host's name goes before, as Java prints it:
  `example.com/203.0.113.7:443`.
- A public address of one of our own machines, as the label `instance` of a metric may have, is masked too:
  nothing tells it from a client's. Hosts of the settings are given to the `Redactor` and stay.
- Only global unicast IPv6 (2000::/3) is masked. So times such as `12:30:45`, hardware addresses,
  `std::string` and recording rules such as `job:http_requests:rate5m` stay, even if they parse as an
  address.
- `user@2.service`, `icon@2x.png` and `git@github.com:` are not mail addresses.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence

from runbook.redaction.marks import Span
from runbook.redaction.shapes.rules import stands_alone
from runbook.redaction.words import word_set

_V4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_DOTTED = re.compile(r"\d\.\d")
_VERSION_BEFORE = re.compile(
    r"(?:(?<![A-Za-z0-9])v|[@^~]|[=!<>~]=|[A-Za-z0-9_][-+]|\bversion[\"']?\s?[:= ]?\s?[\"']?"
    r"|\brelease\s|\bver\.?\s?|(?<![.\w-])[A-Za-z][\w-]*/)$",
    re.IGNORECASE,
)
_LONGEST_BEFORE = 40
_V6_RUN = re.compile(r"[0-9A-Fa-f:.]{4,}")
_LONGEST_V6 = 60
_GLOBAL = ipaddress.ip_network("2000::/3")
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_MAIL = re.compile(
    r"(?<![\w.+-])(?P<local>[\w.+-]++)(?:@|%(?:25)*40|\\u0040|&\#64;)(?P<host>[\w-]++(?:\.[\w-]++)++)"
)
_NO_MAIL_ENDINGS = word_set(
    """
    service socket timer target slice scope mount device path swap automount png jpg jpeg gif svg webp
    ico css js mjs ts tsx jsx map json md tgz gz zip whl jar py go rs rb java c h cpp local localhost
    localdomain internal lan svc cluster home arpa invalid test-cluster next latest
    """
)


def find_addresses(text: str) -> Iterator[Span]:
    """All public IP addresses and mail addresses of the text."""
    if _DOTTED.search(text):
        yield from _v4(text)
    if "::" in text or text.count(":") >= 7:
        yield from _v6(text)
    if "@" in text or "%40" in text or "%2540" in text or "u0040" in text or "&#64;" in text:
        yield from _mails(text)


def _v4(text: str) -> Iterator[Span]:
    for found in _V4.finditer(text):
        numbers = [int(number) for number in found.group().split(".")]
        if max(numbers) > 255 or _is_internal(numbers) or _is_version(text, *found.span()):
            continue
        yield Span(*found.span(), "ip")


def _is_internal(numbers: Sequence[int]) -> bool:
    """Whether an IPv4 address is private, shared, loopback, link-local, multicast or no address of a host."""
    first, second = numbers[0], numbers[1]
    return (
        first in (0, 10, 127)
        or first >= 224
        or (first == 192 and second == 168)
        or (first == 172 and 16 <= second < 32)
        or (first == 169 and second == 254)
        or (first == 100 and 64 <= second < 128)
    )


def _is_version(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    if not _VERSION_BEFORE.search(before):
        return not stands_alone(text, start)
    return not (before.endswith("/") and re.match(r":\d", text[end : end + 2]))


def _v6(text: str) -> Iterator[Span]:
    for found in _V6_RUN.finditer(text):
        run, start = found.group(), found.start()
        if run.count(":") < 2 or len(run) > _LONGEST_V6:
            continue
        if (start and (text[start - 1].isalpha() or text[start - 1] in "_-")) or (
            run[0] == ":" and run[:2] != "::"
        ):
            cut = run.find(":") + 1
            run, start = run[cut:], start + cut
        run = run.rstrip(".")
        if run.endswith(":") and not run.endswith("::"):
            run = run[:-1]
        after = text[start + len(run) : start + len(run) + 1]
        if after.isalnum() or after == "_":
            continue
        if _is_public_v6(run):
            yield Span(start, start + len(run), "ip")


def _is_public_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    if address in _MAPPED or address in _NAT64:
        return not _is_internal(address.packed[-4:])
    return address in _GLOBAL


def _mails(text: str) -> Iterator[Span]:
    for found in _MAIL.finditer(text):
        host = found["host"].lower()
        ending = host.rpartition(".")[2]
        if not ending.isalpha() or len(ending) < 2 or ending in _NO_MAIL_ENDINGS:
            continue
        if found["local"].lower() == "git":
            continue
        start = found.start()
        if start and text[start - 1] == "\\" and found["local"][0] in "nrtbfv":
            start += 1
        yield Span(start, found.end(), "email")
