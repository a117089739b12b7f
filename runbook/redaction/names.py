"""Which names go before a secret: of variables, fields, headers, parameters and flags.

A name is judged by its last words: `POSTHOG_API_KEY`, `dbPass` and `salt_2` are secret, `secretName`,
`token_count` and `password_reset_url` are not. Qualifiers such as `_OLD` at the end do not count.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from runbook.redaction.views import plain_letters
from runbook.redaction.words import word_set

LONGEST_NAME = 120
"""Only so many characters at the end of a name are looked at."""


class SecretName(NamedTuple):
    """What a name says of its value. `kind` is for the mark.

    `certain`: any value is a secret; otherwise only one that looks like a secret. `figures`: numbers of up
    to so many digits are figures, as in `tokens: 512`. `line`: as a header, it has the rest of the line for
    its value.
    """

    kind: str
    certain: bool = True
    figures: int = 0
    line: bool = False


_ANY, _FEW = 30, 3

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[\W_]+")

_QUALIFIERS = word_set(
    """
    old new prev previous current cur next last latest backup bak original orig primary secondary
    default fallback tmp temp prod production stage staging test dev development live sandbox value
    values val plain plaintext text str string raw b64 base64 encoded encrypted enc hash hashed digest
    data binary confirm confirmation repeat again verify v1 v2 v3 us eu
    """
)

_CERTAIN = word_set(
    """
    password passwd passphrase passcode passw pswd pwd pw passwort kennwort secret token credential cred
    apikey passkey pepper dsn jwt authorization cookie totp mnemonic psk cvv cvc cvv2 requirepass
    masterauth authtoken pincode
    """
)
_ELSEWHERE = frozenset(
    plain_letters(word)
    for word in word_set(
        """
        contrase\u00f1a senha wachtwoord has\u0142o heslo l\u00f6senord \u015fifre salasana adgangskode
        passord         jelsz\u00f3 lozinka kodeord \u043f\u0430\u0440\u043e\u043b\u044c
        \u0441\u0435\u043a\u0440\u0435\u0442
        \u05e1\u05d9\u05e1\u05de\u05d4 zugangsschl\u00fcssel geheimnis sifra jeton
        \u0442\u043e\u043a\u0435\u043d
        """
    )
)
"""Passwords and secrets in other languages: Spanish, Portuguese, Dutch, Polish, Czech, Swedish, Turkish,
Finnish, Danish, Norwegian, Hungarian, Croatian, Russian, Hebrew and German."""

_ENDINGS = tuple(
    plain_letters(word)
    for word in word_set(
        """
        \u5bc6\u7801 \u5bc6\u78bc \u53e3\u4ee4 \u5bc6\u94a5 \u5bc6\u9470 \u4ee4\u724c
        \u30d1\u30b9\u30ef\u30fc\u30c9 \u30c8\u30fc\u30af\u30f3 \ube44\ubc00\ubc88\ud638 \uc554\ud638
        """
    )
)
"""The same in Chinese, Japanese and Korean, where words are written without spaces: the name ends so."""

_COUNTED = word_set(
    """
    pass otp pin
    """
)
"""Also the names of figures: `pass: 12`, `otp: 26`."""

_LIKELY = word_set(
    """
    auth oauth parola clave salt sig signature hmac csrf xsrf sessionid phpsessid jsessionid
    sessid sid bearer creds pat
    """
)
_GLUED = re.compile(
    r"(?:p[4a]ssw[0o]rd|passwort|kennwort|wachtwoord|passord|passwd|passphrase|passcode|secret|token|apikey|accesskey|secretkey|privatekey|authkey|accountkey"
    r"|signingkey|masterkey|encryptionkey|sharedkey|clientkey|licensekey|(?:db|user|ssh|root|admin|ftp|smtp|mail|store|keystore|truststore|key|redis"
    r"|sql)(?:pass|pwd|pw))$"
)
_PHRASES = {
    "pin code": "pin-code",
    "seed phrase": "seed-phrase",
    "key base": "secret-key-base",
    "private key id": "private-key-id",
    "access key id": "access-key-id",
    "recovery code": "recovery-code",
    "backup code": "backup-code",
    **{
        f"{word} code": f"{word}-code"
        for word in word_set("verification security auth authorization mfa otp sms 2fa access passport totp")
    },
    "time code": "one-time-code",
    "client assertion": "client-assertion",
    "saml assertion": "saml-assertion",
    "saml response": "saml-response",
    "pass word": "password",
    "pass phrase": "passphrase",
    "pass code": "passcode",
    "de passe": "password",
    "clave secreta": "secret",
    "\u0643\u0644\u0645\u0629 \u0627\u0644\u0645\u0631\u0648\u0631": "password",  # Arabic: password
    "\u0643\u0644\u0645\u0629 \u0627\u0644\u0633\u0631": "password",
}
_OF_KEYS = word_set(
    """
    api access private secret signing signature encryption decryption encrypt decrypt master service
    integration routing license licence auth ssh session storage account shared client server app
    application fernet jwt hmac aes rsa des cipher crypto webhook deploy deployment admin root write
    read ingest ingestion insert query sdk token user team subscription consumer derivation kek dek
    wrapping wrap unseal recovery personal cookie csrf vapid gpg pgp wireguard vpn preshared psk
    instrumentation salt password credential host tls ssl cert genie connection function functions
    device firebase maps stripe openai anthropic datadog dd sendgrid mailgun posthog pagerduty opsgenie
    newrelic heroku
    """
)
"""What makes a key a secret in any case; other names that end in `key` depend on their value."""

_HARMLESS_KEYS = word_set(
    """
    cache sort primary partition foreign public dedup deduplication deduplicate idempotency row range
    hash group object map dict json config lookup index natural composite unique surrogate candidate
    shard sharding metric label tag translation i18n l10n locale message event incident bucket schema
    sequence pub publishable order ordering join item entry field column dictionary property setting
    topic record document search filter distinct feature flag flags experiment issue project alert
    correlation trace span request job task template state store redux react list node path component
    hot idx answer registry secondary known any every each last first next new old selected current
    active menu shortcut idempotent episode aggregation merge annotation
    """
)
_FIGURE_TOKENS = word_set(
    """
    max min total num number n count prompt completion input output reasoning cached used remaining per
    limit context stop pad bos eos unk mask cls sep page next continue continuation unexpected invalid
    start end thinking generated available consumed left
    """
)
_HARMLESS_PASSWORDS = word_set(
    """
    reset forgot forget show hide toggle require requires required has is no use enable allow change
    without missing
    """
)
_NO_AUTH = word_set(
    """
    invalid no missing requires require need needs use enable disable has is skip not without
    """
)
_REFERENCES = word_set(
    """
    existing pull tls cert certificate ca image
    """
)
"""Before `secret`, these make it the name of a Kubernetes Secret."""


@lru_cache(maxsize=8192)
def secret_name(name: str) -> SecretName | None:
    """What the name says of its value; `None` where it says nothing."""
    if "[redacted:" in name:
        return None
    name = plain_letters(name)
    words = [word for word in _SEPARATORS.split(_CAMEL.sub("_", name[-LONGEST_NAME:]).lower()) if word]
    while len(words) > 1 and (words[-1] in _QUALIFIERS or words[-1].isdigit()):
        words.pop()
    if not words:
        return None
    last = words[-1].rstrip("0123456789") or words[-1]
    plural = last.endswith("s") and last[:-1] in _SINGULARS
    if plural:
        last = last[:-1]
    before = words[-2] if len(words) > 1 else ""
    for length in (3, 2):
        phrase = " ".join([*words[-length:-1], last])
        if phrase in _PHRASES and len(words) >= length:
            return SecretName(_PHRASES[phrase], figures=_ANY if plural else 0)
    if last == "key":
        return _judge_key(name, words, plural=plural)
    return _judge_word(words, last, before, plural=plural)


def _judge_word(words: list[str], last: str, before: str, *, plural: bool) -> SecretName | None:
    if last == "token" and (before in _FIGURE_TOKENS or (plural and words[0] in _FIGURE_TOKENS)):
        return None
    if last.endswith(("password", "passwd")) and before in _HARMLESS_PASSWORDS:
        return None
    if last == "secret" and before in _REFERENCES:
        return None
    if last in ("authorization", "cookie"):
        return SecretName(last, figures=_ANY if plural else 0, line=True)
    if last in _ELSEWHERE or last.endswith(_ENDINGS):
        return SecretName("password")
    if last == "token":
        return SecretName(last, figures=_ANY if plural else _FEW)
    if last in _CERTAIN or (last == "creds") or (last == "salt" and before):
        return SecretName(_KINDS.get(last, last), figures=_ANY if plural else 0)
    if last in _COUNTED:
        return SecretName(_KINDS.get(last, last), figures=0 if before and last != "otp" else _FEW)
    if last == "auth" and before in _NO_AUTH:
        return None
    if last == "auth" and before:
        return SecretName("auth")
    if last in _LIKELY:
        return SecretName(last, certain=False)
    glued = _GLUED.search(last)
    if glued:
        return SecretName(
            _KINDS.get(glued.group(), _glued_kind(glued.group())), figures=_ANY if plural else 0
        )
    return None


def _judge_key(name: str, words: list[str], *, plural: bool) -> SecretName | None:
    qualifier = words[-2] if len(words) > 1 else ""
    if not qualifier or qualifier in _HARMLESS_KEYS:
        return None
    if qualifier in _OF_KEYS or words[0] == "x":
        return SecretName(f"{qualifier}-key", figures=_ANY if plural else _FEW)
    return SecretName("key", certain=name.upper() == name and not plural, figures=_ANY if plural else _FEW)


def _glued_kind(word: str) -> str:
    return "password" if word.endswith(("pass", "pwd", "pw")) else word.replace("key", "-key")


_KINDS = {"pass": "password", "passw": "password", "pswd": "password", "pw": "password", "apikey": "api-key"}
_SINGULARS = _CERTAIN | _COUNTED | {"key", "salt", "code", "phrase", "cred"} - {"pas"}


def kind_of(name: str) -> str:
    """The kind to put into a mark for a value of this name: `POSTHOG_API_KEY` gives `api-key`."""
    found = secret_name(name)
    if found is not None:
        return re.sub(r"[^a-z0-9]+", "-", found.kind).strip("-") or "secret"
    return "secret"
