"""HTTP statuses in log lines: in named fields and in free text.

A number counts only where its surroundings make it a status: durations, ports, times, process ids and counts
have three digits too.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from runbook.checks.log_lines.status_names import status_by_name, statuses_by_name
from runbook.checks.log_lines.vocabulary import words

_STATUS_NAMES = words(
    "status statuscode httpstatus httpstatuscode httpcode httpresponsecode responsecode responsestatus"
    " responsestatuscode upstreamstatus originstatus downstreamstatus backendstatus respstatus respcode"
    " rescode retcode returncode code errorcode errcode response"
)
_OTHER_CODES = words("exit process signal span zip postal country area promo coupon lang job order")
_SEPARATORS = str.maketrans("", "", "_- ")

_TAIL = r"(?![\w%])(?![./-]\w)(?!:[0-9])(?!,[0-9]{3}(?![0-9]))"
_CODE = r"(?P<code>[1-5][0-9]{2})" + _TAIL

_FIELD = re.compile(
    r"(?<![\w.-])(?P<name>[A-Za-z][\w.-]{1,50})[\"'\\)\]]{0,3}\s{0,3}(?:=>|[=:])\s{0,3}[\"'\\(\[]{0,3}"
    + _CODE,
    re.ASCII,
)
_SPOKEN = re.compile(
    r"\b(?P<name>status(?:[ -]code)?|(?:response|return|http)[ -]code|code)\s{1,3}"
    r"(?:(?:is|was|of|does not indicate success:)\s{1,3})?[\"'(]?" + _CODE,
    re.IGNORECASE | re.ASCII,
)
_HTTP = re.compile(
    r"\bHTTPS?(?:/[0-9](?:\.[0-9])?)?[\"']?[\s:_-]{0,3}"
    r"(?:(?:error|status|response|code)[\s:=]{1,3}){0,3}[\"'(]?" + _CODE,
    re.IGNORECASE | re.ASCII,
)
_PHRASES = {
    "400": "Bad Request",
    "401": "Unauthori[sz]ed",
    "402": "Payment Required",
    "403": "Forbidden",
    "404": "Not Found",
    "405": "Method Not Allowed",
    "408": "Request Time-?out",
    "409": "Conflict",
    "410": "Gone",
    "413": "(?:Request Entity|Content|Payload) Too Large",
    "415": "Unsupported Media Type",
    "422": "Unprocessable",
    "429": "Too Many Requests",
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "Service (?:Temporarily )?Unavailable",
    "504": "Gateway Time-?out",
    "4[0-9]{2}": "Client Error",
    "5[0-9]{2}": "Server Error",
    "52[0-9]": "Origin Error",
}
_CODES_WITH_PHRASES = "|".join(
    rf"{code}[\s:\])>/-]{{1,3}}[\"'(]?{phrase}" for code, phrase in _PHRASES.items()
)
_PHRASED = re.compile(
    rf"(?<![\w.:/$-])(?=(?P<code>[45][0-9]{{2}}))(?:{_CODES_WITH_PHRASES})", re.IGNORECASE | re.ASCII
)
_CALLED = re.compile(r"\b(?P<name>status_?code|status|code)\(" + _CODE, re.IGNORECASE | re.ASCII)
_HTTP_SAID = re.compile(  # posthog-node: "HTTP error while fetching PostHog: 400"
    r"\bHTTP (?:error|failure|status|response)"
    r"(?:\s(?!(?:count|rate|ratio|total|budget|threshold|limit)\b)[\w./-]{1,40}){1,6}:\s{1,3}" + _CODE,
    re.IGNORECASE | re.ASCII,
)
_TOO_MANY = re.compile(r"\btoo many (?P<code>[45][0-9]{2}) error responses", re.ASCII)  # urllib3
_ANSWER = re.compile(r"(?:^|\s)<-- (?P<code>[1-5][0-9]{2})(?=\s)", re.ASCII)  # OkHttp
_NOT_AS_EXPECTED = re.compile(
    r"\bexpected (?:HTTP )?(?:status )?(?:code )?2[0-9]{2},? (?:but )?"
    r"(?:got|received|was) (?P<code>[45][0-9]{2})" + _TAIL,
    re.IGNORECASE | re.ASCII,
)
_NET = re.compile(r"\bafter [0-9.]{1,12} ?ms - (?P<code>[1-5][0-9]{2})\s*$", re.ASCII)  # .NET's HttpClient
_POLLY = re.compile(r"\bResult: '(?P<code>[1-5][0-9]{2})'", re.ASCII)
_NPM = re.compile(r"\bcode E(?P<code>[45][0-9]{2})\b", re.ASCII)
_REPRESENTED = re.compile(r"\bResponse \[(?P<code>[1-5][0-9]{2})\]", re.ASCII)
_NAMED = (
    _FIELD,
    _SPOKEN,
    _HTTP,
    _HTTP_SAID,
    _PHRASED,
    _CALLED,
    _REPRESENTED,
    _NET,
    _POLLY,
    _NPM,
    _TOO_MANY,
    _ANSWER,
    _NOT_AS_EXPECTED,
)

_LONE = re.compile(r"(?<![\w.:/,=#$@+\[-])(?P<code>[45][0-9]{2})" + _TAIL, re.ASCII)
_WHOLE = re.compile(
    r"(?:(?:\[[\w. -]{1,60}\]\s{0,3}){1,4}:?|[\w.-]{0,60}posthog[\w.-]{0,60}:?)\s{1,3}"
    r"(?P<code>[45][0-9]{2})\s*",
    re.IGNORECASE | re.ASCII,
)
_AT_THE_END = re.compile(r"\s\[(?P<code>[45][0-9]{2})\]\s*$", re.ASCII)
_POSSIBLE = re.compile(
    r"\b(?:will|would|may|might|should|if|when|unless)\s(?:\w{1,20}\s){0,2}$", re.IGNORECASE
)
_ENDED = re.compile(r"\b(?:exit(?:ed|s)?|terminated|died)\b[\w\s,]{0,20}$", re.IGNORECASE)
_LIKELY = re.compile(r"40[1-4]|429|50[0-4]|52[0-79]|530")
_BEFORE = re.compile(r"([A-Za-z]+)[\s:\"'(]*$", re.ASCII)
_BEFORE_STATUS = words(
    "answered answers returned returns responded responds replied replies response answer respond got"
    " received gave threw with error"
)
_BEFORE_OTHER = words(
    "port line pid id after lost took waited wait in at of for every page row user order attempt step"
    " version build rev revision chunk batch number no sent dropped limit max size exit signal about over"
    " than only queue offset partition shard worker thread item record event processed flushed status code"
    " sequence seq job task session account customer team project tenant group"
    " slot table errno codes to tid thread column col elapsed duration latency time seconds timeout ttl delay"
    " age total count value length lag index character char byte position pos"
)
_ENDS_IN_S = words("is was says gives this posthogs status")
_SAYS_MORE = re.compile(r":\s[A-Za-z]|\sfrom\b", re.ASCII)
_COUNTED = re.compile(
    r"\s*(?:ms|s|secs?|seconds?|minutes?|min|hours?|days?|bytes?|[KMG]i?B|percent|x|of|--- )\b"
    r"|\s+(?!(?:is|was|has|as|this|responses|errors|status|times-out)\b)[a-z]+s\b"
    r"|\s+---\s|\)\s+panicked\b|:[XCSM]\s[0-9]",  # the last is the process of a Redis
    re.ASCII,
)


class Statuses(NamedTuple):
    """The statuses that a text tells.

    `named` stands under a name or in an HTTP answer; `fine` says that such a one is there and is no failure.
    `lone` stands by itself; it is `told` where a word beside it says so: "answered 503".
    """

    named: str | None = None
    fine: bool = False
    lone: str | None = None
    told: bool = False

    def __or__(self, other: "Statuses") -> "Statuses":
        """Those of both texts; where both tell one, the first counts."""
        first = self if self.named is not None or self.fine else other
        lone = self if self.lone else other
        return Statuses(named=first.named, fine=first.fine, lone=lone.lone, told=lone.told)


def is_status_name(name: str) -> bool:
    """Whether a field of this name holds an HTTP status, such as `res.statusCode`, `http_code` or `code`."""
    *parents, last = name.lower().split(".")
    if last.translate(_SEPARATORS) not in _STATUS_NAMES:
        return False
    return not parents or parents[-1] not in _OTHER_CODES


def status_in_value(value: object) -> str | None:
    """The status that a field's value begins with: `429`, `"429 Too Many Requests"`, `"502, 504"`."""
    if isinstance(value, list):
        return next((code for item in value if (code := status_in_value(item))), None)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)[:40].strip()
    found = re.match(r"[1-5][0-9]{2}(?![\w%-])(?!\.[1-9])", text)
    return found.group() if found else status_by_name(text)


def is_failing(code: str) -> bool:
    """Whether an HTTP status is an error: 4xx or 5xx."""
    return code >= "400"


def statuses_in(text: str) -> Statuses:
    """What a free text tells."""
    named = list(_named(text))
    failing = next((code for code in named if is_failing(code)), None)
    lone, told = next(_lone(text), (None, False))
    return Statuses(
        named=failing,
        fine=bool(named) and failing is None,
        lone=lone,
        told=told,
    )


def _named(text: str) -> Iterator[str]:
    for pattern in _NAMED:
        for found in pattern.finditer(text):
            name = found.groupdict().get("name", "status")
            if is_status_name(name) and not _is_another_code(text, found.start()):
                yield found["code"]
    yield from statuses_by_name(text)


def _is_another_code(text: str, start: int) -> bool:
    """Whether the word before a label says that it is no HTTP status: `exit code 401`."""
    near = text[max(0, start - 40) : start]
    before = _BEFORE.search(near[-20:])
    return (before is not None and before[1].lower() in _OTHER_CODES) or _ENDED.search(near) is not None


def _is_plural(word: str) -> bool:
    """Whether a number after the word counts things: "dropped events: 503"."""
    return word.endswith("s") and word not in _ENDS_IN_S and word not in _BEFORE_STATUS


def _lone(text: str) -> Iterator[tuple[str, bool]]:
    whole = _WHOLE.fullmatch(text)  # a client that says its name and a status, and nothing else
    if whole is not None and _LIKELY.fullmatch(whole["code"]):
        yield whole["code"], True
        return
    for found in _LONE.finditer(text):
        code, start, end = found["code"], found.start(), found.end()
        if _COUNTED.match(text[end : end + 40]):
            continue
        before = _BEFORE.search(text[max(0, start - 24) : start])
        word = before[1].lower() if before else ""
        if word in _BEFORE_OTHER or _is_plural(word):
            continue
        in_brackets = text[start - 1 : start] == "(" and text[end : end + 1] == ")"
        likely = _LIKELY.fullmatch(code) is not None
        said = word in _BEFORE_STATUS and not _POSSIBLE.search(text[max(0, start - 60) : start])
        told = said or in_brackets or (likely and bool(_SAYS_MORE.match(text, end)))
        if told or likely or not text[max(0, start - 24) : start].strip():
            yield code, told
    at_the_end = _AT_THE_END.search(text[-40:])
    if at_the_end is not None and _LIKELY.fullmatch(at_the_end["code"]):
        yield at_the_end["code"], False
