"""All lines of a private key are masked, and no line of anything else."""

import pytest

from runbook.redaction import redact

MARK = "[redacted:private-key]"
FULL = "MIIEAbCdEf0123456789GhIjKlMnOpQrStUvWxYzAbCdEf0123456789GhIjKlMn"
BEGIN, END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"{BEGIN}\n{FULL}\nQQ==\n{END}", MARK),
        (f"x {BEGIN}\\n{FULL}\\nQQ==\\n{END} y", f"x {MARK} y"),
        (f"x {BEGIN}\n{FULL}", f"x {MARK}"),
        (f"{BEGIN}\n{FULL}\nstarted the server\n", f"{MARK}\nstarted the server\n"),
        (f"{FULL}\nQQ==\n{END}\nok", f"{MARK}\nok"),
        (f"{BEGIN}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{FULL}\n{END}", MARK),
        (f"key: |\n  {BEGIN}\n  {FULL}\n  {END}\nb: 1", "key: |\n  " + MARK + "\nb: 1"),
        (
            f"1:00 p/app: {BEGIN}\n1:00 q/web: GET / 200\n1:01 p/app: {FULL}\n1:02 p/app: connected to db\n"
            f"1:03 p/app: ab1=\n1:04 p/app: {END}\n1:05 p/app: ready",
            f"1:00 p/app: {MARK}\n1:00 q/web: GET / 200\n1:01 p/app: {MARK}\n1:02 p/app: connected to db\n"
            f"1:03 p/app: {MARK}\n1:04 p/app: {MARK}\n1:05 p/app: ready",
        ),
        (
            f'{{"log":"{BEGIN}\\n","n":1}}\n{{"log":"{FULL}\\n","n":2}}\n{{"log":"{END}\\n","n":33}}\n{{"log":"up"}}',
            f'{{"log":"{MARK}\\n","n":1}}\n{{"log":"{MARK}\\n","n":2}}\n{{"log":"{MARK}\\n","n":33}}\n{{"log":"up"}}',
        ),
        (f'["{BEGIN}", "{FULL}", "QQ==", "{END}", "up"]', f'["{MARK}", "{MARK}", "{MARK}", "{MARK}", "up"]'),
        (f'{{"{BEGIN}": 1, "{END}": 2}}', f'{{"{MARK}": 1, "{MARK} (2)": 2}}'),
    ],
)
def test_only_lines_of_the_key_are_masked(text: str, masked: str) -> None:
    """A key may have no end, no beginning, a prefix in each line, and lines of others between its own."""
    assert redact(text) == masked
    assert redact(masked) == masked


def test_keys_of_two_pods_that_write_at_once_are_both_masked() -> None:
    """The lines of each are told apart by what stands before them."""
    lines = [
        line
        for number, material in enumerate((BEGIN, FULL, "QQ==", END))
        for line in (f"{number} a/app: {material}", f"{number} b/app: {material}")
    ]
    masked = redact("\n".join(lines))
    assert masked.count(MARK) == 8
    assert "QQ" not in masked


@pytest.mark.parametrize("kind", ["CERTIFICATE", "PUBLIC KEY", "CERTIFICATE REQUEST", "PGP PUBLIC KEY BLOCK"])
def test_what_is_public_stays(kind: str) -> None:
    """Certificates and public keys are no secrets."""
    text = f"-----BEGIN {kind}-----\n{FULL}\n-----END {kind}-----"
    assert redact(text) == text
