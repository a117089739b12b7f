"""The masking itself: which rules are tried on a text, and in which order."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from pydantic import JsonValue

from runbook.redaction.apart.standing_apart import find_across, find_apart
from runbook.redaction.commands import find_in_commands, find_in_programs, find_in_statements
from runbook.redaction.declarations import find_in_declarations
from runbook.redaction.encoded import find_encoded
from runbook.redaction.labels import find_labelled, label_before
from runbook.redaction.literals import Literals
from runbook.redaction.marks import Span, mark, with_marks
from runbook.redaction.notations import find_in_notations, find_in_secrets
from runbook.redaction.sentences import find_in_sentences
from runbook.redaction.shapes.addresses import find_addresses
from runbook.redaction.shapes.cloud_keys import CLOUD_KEYS
from runbook.redaction.shapes.key_pairs import find_key_pairs
from runbook.redaction.shapes.private_keys import PRIVATE_KEY_NEEDLES, find_private_keys
from runbook.redaction.shapes.rules import find_shapes, long_runs
from runbook.redaction.shapes.service_keys import SERVICE_KEYS, SHORT_KEYS
from runbook.redaction.shapes.tokens import find_jwts, find_schemes
from runbook.redaction.shapes.urls import find_in_errors, find_userinfo
from runbook.redaction.shapes.webhooks import WEBHOOKS
from runbook.redaction.sql import find_in_connections, find_in_sql
from runbook.redaction.structured.json_text import Document, find_documents, masked_string, written_back
from runbook.redaction.structured.markup import find_in_markup
from runbook.redaction.structured.structure import StructureMask, TooDeep
from runbook.redaction.structured.yaml_data import read_yaml
from runbook.redaction.structured.yaml_data import written_back as yaml_written_back
from runbook.redaction.structured.yaml_text import find_secret_data, values_of
from runbook.redaction.tables import find_in_rows, find_in_tables
from runbook.redaction.views import views_of

_NAMES = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "cred",
        "auth",
        "cookie",
        "salt",
        "pepper",
        "dsn",
        "otp",
        "pin",
    ),
    *("sig", "csrf", "xsrf", "sess", "sid", "jwt", "mnemonic", "psk", "cvv", "cvc", "code", "phrase", "hmac"),
    *("_pat", "-pat", "assertion", "saml"),
    *(
        "kennwort",
        "bearer",
        "pw",
        "ssw",
        "identified",
        "senha",
        "parola",
        "haslo",
        "heslo",
        "wachtwoord",
        "sifre",
    ),
    *("salasana", "adgang", "jelszo", "clave", "lozinka", "kodeord", "losenord", "schluessel", "contrasena"),
)
"""A text with none of these has no label of a secret."""

_PROGRAMS = (
    *("vault", "rabbitmqctl", "htpasswd", "echo", "printf", "gh auth", "7z", "unzip", "openssl", "net "),
    *("kubectl", "snmp", " on ", "PASS ", "LOGIN ", "ipmitool", "bindpw", "SecureString"),
)
_ROUNDS = 8
_DEEPEST_TEXT = 3
"""JSON in a string of JSON in a string: so many levels are read, the rest is text."""

_SHORTEST_ENCODED = 16

_HARMLESS: set[str] = set()
"""Short texts that hold no secret, such as the labels and annotations which an alert repeats all the time."""

_HARMLESS_TEXTS = 10_000
_HARMLESS_LENGTH = 256


def _remember(text: str) -> None:
    if len(_HARMLESS) >= _HARMLESS_TEXTS:
        _HARMLESS.clear()
    if len(text) <= _HARMLESS_LENGTH:
        _HARMLESS.add(text)


def _host(place: str) -> str:
    """The host of an address such as `https://host:443/path`, or the text itself."""
    if "://" not in place:
        return place.strip("[]").lower()
    try:
        return urlsplit(place).hostname or ""
    except ValueError:  # no address, so it has no host that could look like a client's
        return ""


def _has_any(text: str, words: Iterable[str]) -> bool:
    for word in words:  # noqa: SIM110 - a generator takes five times as long
        if word in text:
            return True
    return False


class Redactor:
    """Masks the listed secrets and everything that has the shape of one, and personal addresses.

    A listed secret is also found base64-encoded (at any offset, so inside of `user:password` too),
    URL-encoded and escaped. Listed values shorter than four characters are ignored. `hosts` are hosts or URLs
    of the settings: their addresses stay readable although they look like those of clients. Without
    `personal`, addresses of people stay: for their names, and for what is shown again after it was masked
    once.
    """

    def __init__(
        self, secrets: Iterable[str] = (), *, hosts: Iterable[str] = (), personal: bool = True
    ) -> None:
        self._literals = Literals(secrets)
        self._hosts = frozenset(host for host in map(_host, hosts) if host)
        self._personal = personal

    def text(self, text: str) -> str:
        """The text with marks instead of secrets. JSON in it stays JSON, and YAML stays YAML."""
        if text in _HARMLESS and not self._literals:
            return text
        masked = self._settled(text, 0)
        self._remember_if_harmless(text, masked)
        return masked

    def value(self, value: JsonValue) -> JsonValue:
        """The JSON value masked, by what is in it and by the names that values go under.

        Masked by name: keys such as `password` or `apiKey`, `{"name": "API_KEY", "value": …}` entries of a
        container's environment, everything in a Kubernetes Secret's `data` and `stringData`. Booleans and
        nulls stay: `automountServiceAccountToken: true` is not secret. A number may be replaced by a mark,
        which is text. What is nested too deep is replaced by a mark.
        """
        masked: JsonValue = StructureMask(self.text, keeps_form=False).mask(value)
        return masked

    def _settled(self, text: str, depth: int) -> str:
        """Mask again until nothing changes, because a mark can become part of a labelled value."""
        for _ in range(_ROUNDS):
            masked = self._masked(text, depth)
            if masked == text:
                return text
            text = masked
        return "\n".join(self._stable_line(line, depth) for line in text.split("\n"))

    def _stable_line(self, line: str, depth: int) -> str:
        """A line that changes each time is masked as a whole, so that nobody can hide other lines with it."""
        for _ in range(_ROUNDS):
            masked = self._masked(line, depth)
            if masked == line:
                return line
            line = masked
        return mark("unsettled")

    def _masked(self, text: str, depth: int) -> str:
        """One round over a text."""
        across = with_marks(text, find_across(text))
        if across != text:
            return across
        if '"' in text and depth < _DEEPEST_TEXT:
            string = masked_string(text, lambda inner: self._settled(inner, depth + 1))
            if string is not None:
                return string
            documents = list(find_documents(text))
            if documents and documents[0].start == 0 and not text[documents[0].end :].strip():
                return self._with_documents(text, documents, depth)
        else:
            documents = []
        if "\n" in text and _has_any(text, PRIVATE_KEY_NEEDLES):  # a key whose lines are lines of a log
            unlocked = with_marks(text, find_private_keys(text))
            if unlocked != text:
                return unlocked
        masked = self._with_documents(text, documents, depth)
        if masked == text and not (": *" in text and "&" in text):  # an alias stands for a value elsewhere
            return text
        return self._as_yaml(text, masked, depth)

    def _as_yaml(self, text: str, masked: str, depth: int) -> str:
        """The text masked as YAML, if it is any; otherwise as it was masked before."""
        read = read_yaml(text) if depth < _DEEPEST_TEXT else None
        if read is None:
            return masked
        documents, scalars = read
        structure = StructureMask(lambda inner: self._inner(inner, depth), keeps_form=True)
        try:
            masked_documents = structure.mask(documents)
        except (TooDeep, RecursionError):
            return masked
        return yaml_written_back(
            text, documents, scalars, masked_documents, lambda inner: self._plain(inner, depth)
        )

    def _with_documents(self, text: str, documents: list[Document], depth: int) -> str:
        """Masked, each JSON document in it by its own rules."""
        structure = StructureMask(lambda inner: self._inner(inner, depth), keeps_form=True)
        pieces, end = [], 0
        for document in documents:
            try:
                masked = structure.mask(document.value, label_before(text, document.start))
            except (TooDeep, RecursionError):
                continue
            pieces += [self._plain(text[end : document.start], depth), written_back(text, document, masked)]
            end = document.end
        return "".join([*pieces, self._plain(text[end:], depth)]) if end else self._plain(text, depth)

    def _inner(self, text: str, depth: int) -> str:
        if text in _HARMLESS and not self._literals:
            return text
        masked = self._settled(text, depth + 1)
        self._remember_if_harmless(text, masked)
        return masked

    def _remember_if_harmless(self, text: str, masked: str) -> None:
        if masked == text and self._personal and not self._literals and not self._hosts:
            _remember(text)

    def _plain(self, text: str, depth: int) -> str:
        """One round over a text that is no JSON, as it stands and as it reads without its encoding."""
        if len(text) < 2 or text.isspace():
            return text
        spans = list(self._spans(text))
        for view in views_of(text):
            spans += view.back(self._spans(view.text))
        if depth < _DEEPEST_TEXT and len(text) >= _SHORTEST_ENCODED:
            spans += find_encoded(text, lambda inner: self._inner(inner, depth))
        return with_marks(text, spans)

    def _spans(self, text: str) -> Iterator[Span]:
        if text.replace("-", "").replace("_", "").isalnum():
            yield from self._of_word(text)
            return
        small = text.lower()
        userinfo = list(find_userinfo(text)) if "@" in text or "%40" in text or "%2540" in text else []
        yield from userinfo
        if "/" in text:
            yield from find_shapes(text, WEBHOOKS)
        yield from self._of_word(text)
        yield from find_jwts(text)
        if "ort" in text or "://" in text:
            yield from find_in_errors(text)
        if _has_any(text, PRIVATE_KEY_NEEDLES):
            yield from find_private_keys(text)
        if _has_any(small, _NAMES) or not text.isascii():
            yield from find_labelled(text)
            yield from find_in_sentences(text)
            yield from find_in_statements(text)
            yield from find_in_declarations(text)
            yield from find_in_notations(text)
            yield from find_in_sql(text)
            yield from find_in_tables(text)
            yield from find_apart(text)
        if "('" in text or "(Object" in text:
            yield from find_in_connections(text)
        if ":" in text or "|" in text:
            yield from find_in_rows(text)
        if _has_any(text, _PROGRAMS):
            yield from find_in_programs(text)
        if "-" in text:
            yield from find_in_commands(text)
        if "<" in text or "&lt;" in text:
            yield from find_in_markup(text)
        if "kind" in text and "data" in small and "Secret" in text:
            yield from find_in_secrets(text)
        if "kind:" in text and "Secret" in text:
            yield from values_of(text, find_secret_data(text))
        yield from find_schemes(text, small)
        if self._personal:
            yield from self._addresses(text, userinfo)

    def _addresses(self, text: str, userinfo: list[Span]) -> Iterator[Span]:
        starts = sorted((span.start, span.end) for span in userinfo)
        for span in find_addresses(text):
            at = bisect_right(starts, (span.end, len(text)))  # they do not overlap one another
            is_known = at > 0 and starts[at - 1][1] >= span.start
            if not is_known and not self._is_ours(text, span):
                yield span

    def _of_word(self, text: str) -> Iterator[Span]:
        """Keys and listed secrets: all that there can be in a single word."""
        yield from find_shapes(text, SHORT_KEYS)
        if runs := long_runs(text):
            yield from find_shapes(text, SERVICE_KEYS, runs)
            yield from find_shapes(text, CLOUD_KEYS, runs)
        yield from find_key_pairs(text)
        yield from self._literals.find(text)

    def _is_ours(self, text: str, span: Span) -> bool:
        return bool(self._hosts) and text[span.start : span.end].lower().rpartition("@")[2] in self._hosts
