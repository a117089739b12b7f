"""Find which part of the text after a label is the secret, in any notation.

Quoted, bare, in brackets, within a wrapper such as `Some("…")`, as a header's line, on the next line, or as
a block of YAML. Each character is read a limited number of times.
"""

import re

from runbook.redaction.marks import MARK, Span, is_mark, with_marks
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.quoting import Quoted, end_of_bare, end_of_line, find_quoted
from runbook.redaction.structured.brackets import (
    find_bracket,
    find_wrapper,
    has_members,
    is_descriptive,
    is_quoted,
    is_wrapper,
    secrets_of_call,
    values_within,
)
from runbook.redaction.values.harmless import names_a_secret, refers, stays
from runbook.redaction.words import is_harmless, looks_secret

Read = tuple[list[Span], int]
"""What to mask of a value, and where to read on."""

_SCHEME = re.compile(
    r"(?:bearer|basic|oauth|token|apikey|api-key|negotiate|ntlm|genie ?key|splunk|bot|jwt|sso-key"
    r"|klaviyo-api-key)[ \t]+|(?:bearer|basic|token)(?:%20|\+)",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(r"[\w-]+[ \t]*=[ \t]*\\{0,7}\"|[^\s\"'\\]+,[ \t]*[\w-]+[ \t]*=")
_LONE_MARK = re.compile(rf"{MARK.pattern}(?=[\s,;&\"']|$)")
_BLOCK = re.compile(r"(?:![\w:./-]*[ \t]+)?[|>][+-]?\d?[+-]?[ \t]*(?:#[^\n]*)?\r?\n")
_NEXT_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?\r?\n")
_PREFIX = re.compile(
    r"(?:!{1,2}[\w:./-]*|&\w+)[ \t]+(?!=)|string\(\d+\)[ \t]+(?=\")|(?:\(\*{0,2}[\w.]+\)[ ]){1,2}"
    r"(?:\(len=\d+\)[ ])?(?=\")"
)
"""A tag or an anchor of YAML, and what PHP prints before a string."""

_CLOSED = re.compile(r"[\"'`](?:[\s,;)\]}]|$)")
_NO_SPACE = re.compile(r"[^\s\"'`]+")
_MOST_BLANK = 3
_COMMENT = re.compile(r" #(?:[ !#]|\r?$)", re.MULTILINE)
_MEMBER = re.compile(r"[\"']?(?P<key>[\w.-]{1,60})[\"']?[ ]*:[ \t]+(?=[^\s|>#&*!{\[])")
_MEMBER_LINE = re.compile(r"[\w./\"'-]+\s*:(?:\s|$)|[-?{\[]")
_STACK_LINE = re.compile(r"at |in |File |\.\.\.|#|//|\^")
_DEFAULT = re.compile(r"\$\{\w+:?[-=?+](?P<default>[^{}\s]*)\}")
_TYPE = re.compile(
    r"(?:tuple|list|dict|set|frozenset|type|[A-Z]\w{1,40})\[[^\[\]\r\n0-9]{0,80}"
    r"(?:\[[^\[\]\r\n0-9]{0,80}\][^\[\]\r\n0-9]{0,80})?\]|\d+ bytes\b"
)
"""An annotation of a type in source code, and a size as kubectl shows it."""

_TEMPLATE = re.compile(
    r"\{\{[^\r\n]{0,200}?\}\}|\{[a-z_]\w*[.(\[][^{}\r\n]{0,200}\}|\$\([^()\r\n]{0,200}\)|\$\{\w*\}"
    r"|<[^<>\r\n]{0,200}>"
)


class ValueReader:
    """Finds what to mask of the values in one text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, at: int, secret: SecretName, *, separator: str = ":", indent: int | None = None) -> Read:
        """The spans to mask of the value that begins at `at`, and where to read on.

        `indent` is the column of the label in its line; with it, a value may stand below its label.
        """
        text = self._text
        if text.startswith("[redacted:", at) and (found := _LONE_MARK.match(text, at)):
            return [], found.end()
        is_block = _BLOCK.match(text, at) is not None
        if not is_block and (prefix := _PREFIX.match(text, at)):
            at = prefix.end()
        if is_block or at >= len(text) or text[at] in "\r\n" or (at and _COMMENT.match(text, at - 1)):
            return self._below(at, secret, indent)
        if quoted := find_quoted(text, at):
            if _CLOSED.match(text, at) and at and text[at - 1] in ":=":
                return [], at  # the quote closes what the label stands in
            return self.kept(quoted.start, quoted.end, secret), quoted.after
        if MARK.match(text, at):
            return self._unquoted(at, secret, separator)
        read = self._template(at, secret) or self._in_brackets(at, secret)
        return read or self._unquoted(at, secret, separator)

    def read_call(self, at: int, secret: SecretName) -> Read:
        """The spans to mask in the arguments of a call such as `setPassword("x")`, and where to read on."""
        bracket = find_bracket(self._text, at)
        inside = self._text[bracket.start : bracket.end].strip()
        if is_quoted(self._text, bracket):
            places = [
                place
                for place in values_within(self._text, bracket)
                if find_quoted(self._text, place[0] - 1) and secret_name(self._text[slice(*place)]) is None
            ]
            return [span for place in places for span in self.kept(*place, secret)], bracket.after
        if not looks_secret(inside) or " " in inside:
            return [], at + 1
        start = self._text.index(inside, bracket.start)
        return self.kept(start, start + len(inside), secret), bracket.after

    def quoted(self, at: int) -> Quoted | None:
        """The quoted text that begins there, if any."""
        return find_quoted(self._text, at)

    def kept(self, start: int, end: int, secret: SecretName) -> list[Span]:
        """The span if it holds a secret, and not only words about one."""
        value = self._text[start:end]
        if not value.strip() or is_mark(value) or stays(value, secret):
            return []
        if secret.kind == "authorization" and secret.line:
            scheme = _SCHEME.match(self._text, start, end)
            if scheme:
                rest = self._text[scheme.end() : end]
                if is_mark(rest) or stays(rest, secret):
                    return []
                start = scheme.end()
        return [Span(start, end, secret.kind)]

    def _template(self, at: int, secret: SecretName) -> Read | None:
        text = self._text
        if default := _DEFAULT.match(text, at):
            return self.kept(*default.span("default"), secret), default.end()
        if described := _TYPE.match(text, at):
            return [], described.end()
        template = _TEMPLATE.match(text, at)
        if template and refers(template.group()):
            return [], template.end()
        if template and text[at] == "<":
            return self.kept(at + 1, template.end() - 1, secret), template.end()
        return None

    def _in_brackets(self, at: int, secret: SecretName) -> Read | None:
        text = self._text
        while (wrapper := find_wrapper(text, at)) and is_wrapper(wrapper):
            inner = find_wrapper(text, wrapper.end())
            at = wrapper.end() - 1
            if not inner or not is_wrapper(inner):
                return self._bracketed(at, secret)
            at = wrapper.end()
        if wrapper and (call := secrets_of_call(text, wrapper)):
            return [Span(*place, secret.kind) for place in call[0]], call[1]
        return self._bracketed(at, secret) if text[at] in "[{(" else None

    def _bracketed(self, at: int, secret: SecretName) -> Read:
        text = self._text
        bracket = find_bracket(text, at)
        inside = text[bracket.start : bracket.end]
        stripped = inside.strip()
        after = max(bracket.after, at + 1)
        if bracket.is_closed and text[after : after + 1].isalnum():  # the brackets are a part of the value
            return self._bare(at, secret, "=")
        if not stripped or is_mark(stripped) or is_harmless(stripped) or names_a_secret(stripped):
            return [], after
        is_line = secret.line and text[at] == "[" and "{" not in inside and not is_quoted(text, bracket)
        if not bracket.is_closed or is_line or not has_members(text, bracket):
            start = bracket.start + inside.index(stripped)
            return self.kept(start, start + len(stripped), secret), after
        spans = [span for place in values_within(text, bracket) for span in self.kept(*place, secret)]
        return spans, after

    def _unquoted(self, at: int, secret: SecretName, separator: str) -> Read:
        text = self._text
        of_token = secret._replace(line=False)
        if secret.kind == "authorization" and secret.line:
            scheme = _SCHEME.match(text, at)
            if scheme and not _PARAMETERS.match(text, scheme.end()):
                if quoted := find_quoted(text, scheme.end()):
                    return self.kept(quoted.start, quoted.end, of_token), quoted.after
                return self._bare(scheme.end(), of_token, separator)
            if separator.startswith(("=", "%")) and not scheme:
                return self._bare(at, of_token, separator)
        if secret.line:
            end = end_of_line(text, at)
            return self.kept(at, end, of_token), end
        return self._bare(at, secret, separator)

    def _bare(self, at: int, secret: SecretName, separator: str) -> Read:
        end = end_of_bare(self._text, at, encoded=separator.startswith("%"))
        if end - at == 1 and self._text[at].isalpha():  # no word, so what follows is a part of it
            rest = _NO_SPACE.match(self._text, end)
            end = rest.end() if rest else end
        return self.kept(at, end, secret), end

    def _below(self, at: int, secret: SecretName, indent: int | None) -> Read:
        """A value under its label: a block of YAML, or items on the next lines."""
        text = self._text
        block = _BLOCK.match(text, at)
        below = block or _NEXT_LINE.match(text, at)
        if not below:
            return [], at
        if indent is None or not secret.certain:
            return [], max(at, below.end() - 1)
        if block:
            return self._block(below.end(), secret, indent)
        spans: list[Span] = []
        after, members = below.end() - 1, -1
        while after < len(text):
            at = after + 1
            eol = text.find("\n", at)
            eol = len(text) if eol < 0 else eol
            body = text[at:eol].lstrip(" \t")
            column = eol - at - len(body)
            if not body.strip() and not spans and at - below.end() < _MOST_BLANK:
                after = eol
                continue
            is_item = body.startswith("- ")
            if not body.strip() or column < indent + (0 if is_item else 1):
                break
            start = at + column + (2 if is_item else 0)
            member = None if is_item else _MEMBER.match(text, start, eol)
            if member:
                members = column if members < 0 else members
                if (
                    column == members
                    and not is_descriptive(member["key"])
                    and secret_name(member["key"]) is None
                ):
                    spans += self.read(member.end(), secret)[0]
                after = eol
                continue
            value = self._lone(start, eol, secret) if members < 0 else None
            if value is None:
                break
            spans += value
            after = eol
            if not is_item:
                break
        return spans, after if members < 0 else below.end() - 1

    def _lone(self, start: int, eol: int, secret: SecretName) -> list[Span] | None:
        """The value that a line consists of; `None` where the line is something else, such as a member."""
        body = self._text[start:eol].rstrip().rstrip(",")
        if not body or _STACK_LINE.match(body):
            return None
        quoted = find_quoted(self._text, start)
        if quoted and quoted.after >= start + len(body):
            return self.kept(quoted.start, quoted.end, secret)
        if _MEMBER_LINE.match(body) and not is_mark(body):
            return None
        scheme = _SCHEME.match(body)
        if " " in (body[scheme.end() :] if scheme else body):
            return None
        return self.kept(start, start + len(body), secret)

    def _block(self, at: int, secret: SecretName, indent: int) -> Read:
        text, first, last = self._text, -1, at
        while at < len(text):
            eol = text.find("\n", at)
            eol = len(text) if eol < 0 else eol
            body = text[at:eol].lstrip(" \t")
            if body.strip():
                column = eol - at - len(body)
                if column <= indent:
                    break
                first = at + column if first < 0 else first
                last = at + len(text[at:eol].rstrip())
            at = eol + 1
        return self.kept(first, last, secret) if first >= 0 else [], last


def masked_value(value: str, secret: SecretName) -> str:
    """The whole text under a secret name, masked. The scheme of an `Authorization` header stays."""
    return with_marks(value, ValueReader(value).kept(0, len(value), secret))
