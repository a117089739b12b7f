"""Names are judged by how they end."""

import pytest

from runbook.redaction import kind_of, secret_name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DB_PASS", "password"),
        ("dbPass", "password"),
        ("DB_PWD", "pwd"),
        ("SECRET_KEY_BASE", "secret-key-base"),
        ("secretKeyBase", "secret-key-base"),
        ("APP_KEY", "app-key"),
        ("ENCRYPTION_SALT_KEYS", "salt-key"),
        ("passwordSalt", "salt"),
        ("API_KEYS", "api-key"),
        ("apiKeyOld", "api-key"),
        ("TOKEN_NEW", "token"),
        ("password2", "password"),
        ("PASSWORD_2", "password"),
        ("API_KEY_PREVIOUS", "api-key"),
        ("credentials", "credential"),
        ("REDIS_AUTH", "auth"),
        ("sentryDsn", "dsn"),
        ("passcode", "passcode"),
        ("pinCode", "pin-code"),
        ("userPin", "pin"),
        ("totp", "totp"),
        ("client-secret", "secret"),
        ("spring.datasource.password", "password"),
        ("x-api-key", "api-key"),
        ("POSTHOG_API_KEY", "api-key"),
        ("Proxy-Authorization", "authorization"),
        ("Set-Cookie", "cookie"),
        ("private_key_id", "private-key-id"),
        ("MY_UNKNOWN_KEY", "key"),
    ],
)
def test_name_of_a_secret_gives_the_kind_of_the_mark(name: str, kind: str) -> None:
    """In capitals, in camel case, with hyphens or dots, in the plural and with a qualifier at the end."""
    assert secret_name(name) is not None
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        *(
            "secretName",
            "secretKeyRef",
            "token_count",
            "max_tokens",
            "prompt_tokens",
            "password_reset_url",
            "keyboard",
        ),
        *(
            "cache_key",
            "sort_key",
            "primaryKey",
            "partition_key",
            "public_key",
            "key",
            "monkey",
            "PASSWORD_FILE",
        ),
        *(
            "bypass",
            "compass",
            "author",
            "session_id",
            "kms_key_id",
            "token_type",
            "existingSecret",
            "",
            "_",
            "4711",
        ),
        *(
            "imagePullSecrets",
            "reset_password",
            "next_page_token",
            "invalid_auth",
            "idempotency_key",
            "passed",
        ),
    ],
)
def test_name_that_is_none_of_a_secret(name: str) -> None:
    """What counts, describes, refers to or finds a thing is no secret."""
    assert secret_name(name) is None
    assert kind_of(name) == "secret"


def test_name_without_an_end_is_judged_in_bounded_time() -> None:
    """Only the end of a name counts, however long it is."""
    assert kind_of("a_" * 500_000 + "password") == "password"
