"""Words of an error in free text, for lines that say no level: the runbook's `grep -i error`, made exact.

A word counts unless its surroundings take it back: "no errors", `errors=0`, `/errors`, "ErrorHandler".
"""

import re

_WORD = re.compile(
    r"error(?!less|[- ]?free)|exception(?!al)|(?<![a-z])fail(?:ed|ures?)(?![a-z])"
    r"|(?<![\w-])(?:FATAL|CRITICAL|PANIC|EMERG|ERR)(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_CERTAIN = re.compile(
    r"Traceback \(most recent call last\)|^panic:|^thread '.{1,80}'(?: \(\d{1,9}\))? panicked"
    r"|segmentation fault"
    r"|\bE(?:CONN[A-Z]{3,8}|TIMEDOUT|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH|PIPE)\b"
    r"|(?-i:\b(?:Get|Post|Put|Patch|Delete|Head) \\{0,2}\"https?://[^\"]{1,2000}\": )|\bdial (?:tcp|udp)\b"
    r"|(?-i:^(?:Caused by: )?(?:[\w$]{1,80}\.){1,12}[A-Z][\w$]{0,80}(?:Exception|Error|Timeout)(?=$|:\s))"
    r"|(?-i:\b(?:[\w$]{1,80}\.){2,12}[A-Z][\w$]{0,80}(?:Exception|Error): null\b)"
    r"|connection (?:refused|reset)|timed out|deadline exceeded|no such host|name or service not known"
    r"|\bx509: |certificate (?:signed by unknown|verify failed|has expired|is not (?:trusted|yet valid))"
    r"|socket hang up|could not resolve|no route to host|network is unreachable"
    r"|\b(?:401[\s:]{1,3}Unauthori[sz]ed|403[\s:]{1,3}Forbidden|429[\s:]{1,3}Too Many Requests"
    r"|500[\s:]{1,3}Internal|502[\s:]{1,3}Bad Gateway|503[\s:]{1,3}Service|504[\s:]{1,3}Gateway)\b",
    re.IGNORECASE | re.ASCII | re.MULTILINE,
)
_PLACES = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}://|(?<![\w/.)])\.{0,2}/)[^\s\"'<>]{1,4000}"  # URLs and paths
    r"|(?<![\w.-])[\w-]{1,80}\.(?:log|html?|css|js|ts|py|go|java|rb|json|ya?ml|php|txt)\b",
    re.IGNORECASE | re.ASCII,
)

_CONTEXT = 60  # characters on either side of a word that may take it back
_DENIED_BEFORE = re.compile(
    r"\bon[_-]$|\bignor(?:e|es|ing) (?:all )?$|(?:\b(?:no|zero|without(?: any)?|never|non)|(?<![\w.,])0)[\s-]"
    r"(?:(?:new|more|further|known|such|other|recent|critical|fatal|serious|unexpected|additional|any)\s)?"
    r"[\w.]{0,30}$",
    re.IGNORECASE | re.ASCII,
)
_NONE = r"(?:0+(?:\.0+)?%?|none|null|nil|<nil>|false|undefined|no|n/a|ok|\[\s?\]|\{\s?\}|\"\"|'')"
_DENIED_AFTER = re.compile(
    r"(?:\(s\))?[\w.]{0,30}(?:\{[^{}]{0,60}\})?[\"'\\]{0,2}(?:"
    rf"\s?=\s?[\"'\\]{{0,2}}{_NONE}(?![\w.])"  # error=null, errors=0.0
    r"|=(?:\s|$|[,;)}])"  # error=
    rf"|\s?:\s?[\"'\\]{{0,2}}{_NONE}[\"'\\]{{0,2}}"  # error: none
    r"(?:\s{0,3}$|\s?[.,;)}\]]|\s\w{1,30}[:=])"
    r"|\s(?:(?:rate|ratio|count|total|percentage)(?:\s(?:for|of|in|over|during|since)(?:\s\w{1,20}){1,4})?"
    r"\s?(?:[:=]\s?|is\s|of\s)?)?0+(?:\.0+)?%?(?:\s(?!of\b)|[,;)]|$)"
    r"|s?\s(?:will|would|may|might|can) be \w"  # errors will be reported
    r")",
    re.IGNORECASE | re.ASCII,
)
_PART_OF_THE_PROGRAM = re.compile(
    r"s?[\s_-]?(?:handlers?|page|pages|boundary|middleware|reporting|reporter|tracking|tracker|budget"
    r"|threshold|listener|callback|hook|mapper|log|logs|template|templates)\b"
    r"|s?(?-i:Controller|Worker|Job|Service|Module|Component|Filter|Interceptor|View|Model|Factory|Provider)"
    r"(?![a-z])",
    re.IGNORECASE | re.ASCII,
)


def reports_error(text: str) -> bool:
    """Whether a free text reports an error, by its words alone."""
    if _CERTAIN.search(text):
        return True
    if not _WORD.search(text):
        return False
    said = _PLACES.sub("/", text)
    return any(not _is_denied(said, *found.span()) for found in _WORD.finditer(said))


def _is_denied(text: str, start: int, end: int) -> bool:
    after = text[end : end + _CONTEXT]
    if _PART_OF_THE_PROGRAM.match(after) or _DENIED_AFTER.match(after):
        return True
    return bool(_DENIED_BEFORE.search(text[max(0, start - _CONTEXT) : start]))
