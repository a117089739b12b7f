"""The time that masking takes grows with the length of the text, whatever stands in it."""

import time

import pytest

from runbook.redaction import redact

SHAPE = "ph" + "x_AbCdEf0123456789GhIjKlMnOpQrStUvWxYz"

UNITS = (
    *("a", "=", '"', "\\", "'", '{"', "[", "[[", "(", "<", ":", "/", "@", ".", " ", "\n", "é", "\ud800"),
    *("eyJ", "eyJ.", "password=", "password=x ", "password: ", "password:\n", "token=[", "token=[\n", '"a":'),
    *('token={"a":', '{"a":x', '{"a":"b"}\n', '{"password":"x"}\n', '["', "://", "http://a:b", "a@", "@a."),
    *(
        "-----BEGIN PRIVATE KEY-----\n",
        "x -----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "MIIE\n",
    ),
    *(
        "1.2.3.4 ",
        "8.8.8.8 ",
        "2001:",
        "::",
        "phx_",
        "phx_a ",
        "ghp_",
        "sk-",
        "Authorization: Bearer ",
        "cookie=",
    ),
    *(
        "<password>",
        '<a b="password" ',
        "password is ",
        "password for ",
        "--password ",
        "--token x ",
        "curl -u a:",
    ),
    *(
        '\\"password\\":\\"',
        "kind: Secret\n",
        "- name: TOKEN\n  value: x\n",
        "\x1b[31m",
        "%22",
        "%25",
        "password: |\n",
    ),
    *(
        "password=Some(",
        "password=a(",
        "[redacted:x]",
        "password=[redacted:x]",
        "x:y@tcp(",
        "%3A%2F%2F",
        "NRAL",
        "$2b$",
        "password=correct horse ",
        "update t set password=? ",
        "update t set password=? params: ['x', ",
        "binding parameter [1] as [VARCHAR] - [x] select ",
        "334 UGFzc3dvcmQ6\n",
        "kubectl patch secret {data: {a: b} ",
        "auth with key x1 ",
        "USER    PASSWORD\nbob     x\n",
        "password: Hunter2x9\n",
    ),
)


TIMES = 3
"""How often a time is measured: the shortest one counts."""


def _once(text: str) -> float:
    start = time.process_time()
    redact(text)
    return time.process_time() - start


def _seconds(text: str) -> float:
    return min(_once(text) for _ in range(TIMES))


def _takes_less(text: str, seconds: float) -> bool:
    """Whether its shortest time is less; the first one that is decides."""
    return any(_once(text) < seconds for _ in range(TIMES))


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_length_only(unit: str) -> None:
    """Four times the text takes about four times as long, not sixteen, whatever is repeated in it."""
    first = "password: x\n" if ": " in unit else ""  # then it may be YAML
    short, long = (first + unit * (length // len(unit)) for length in (12_000, 48_000))
    assert _takes_less(long, 9 * _seconds(short) + 0.05)


def test_yaml_with_a_password_on_each_line_takes_little_more_than_as_many_in_a_log() -> None:
    """It is masked as a text and as data: the time goes into the passwords, not into reading YAML."""
    lines = range(1_000)
    as_log = "\n".join(f"service{line} login PASSWORD{line}=Hunter{line}x9Qz" for line in lines)
    as_yaml = "\n".join(f"password{line}: Hunter{line}x9Qz" for line in lines)
    assert redact(as_yaml).count("[redacted:password]") == len(lines)
    assert _takes_less(as_yaml, 2 * _seconds(as_log) + 0.05)


def test_line_of_a_megabyte_is_masked() -> None:
    """A secret at the end of a very long line is found."""
    line = "posthog request failed status=401 path=/flags " * 22_000
    assert SHAPE not in redact(f"{line}{SHAPE}")
