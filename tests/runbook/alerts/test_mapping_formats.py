"""The formats that are known by name, on recorded payloads."""

from datetime import UTC, datetime

import pytest

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.mapping.formats import FORMATS
from runbook.alerts.mapping.sns import ConfirmationWanted, confirms, require_no_confirmation
from runbook.alerts.mapping.translating import translate_by
from runbook.alerts.sources import UnreadablePayload
from runbook.decision.severity import Severity
from tests.runbook.alerts.mapping_samples import NAMES, format_of, names_of, sample

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus
AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def read(name: str) -> list[Alert]:
    """The alerts of a sample."""
    kind = format_of(name)
    return translate_by(FORMATS[kind], sample(name), "ours", source=kind)


def test_every_format_has_a_beginning_and_an_end_among_the_samples() -> None:
    """Nothing is shipped that was never tried."""
    for what in ("firing", "resolved"):
        assert {format_of(name) for name in names_of(what)} == set(FORMATS)


@pytest.mark.parametrize("resolved", names_of("resolved"))
def test_a_recovery_joins_its_alert(resolved: str) -> None:
    """Both are about one alert of one service."""
    [fired], [over] = read(resolved.replace(".resolved", ".firing")), read(resolved)
    assert (fired.status, over.status) == (FIRING, RESOLVED)
    assert (fired.source, fired.service, fired.key) == (over.source, over.service, over.key)
    assert fired.fingerprint
    assert fired.delivery == "" or fired.delivery != over.delivery or ".raw." in resolved
    if fired.changed_at and over.changed_at:
        assert fired.changed_at < over.changed_at


@pytest.mark.parametrize(
    ("name", "service", "title", "severity", "changed_at"),
    [
        (
            "uptime-kuma.firing",
            "posthog-integration",
            "PostHog capture",
            None,
            AT.replace(microsecond=527000),
        ),
        (
            "cloudwatch.firing",
            "posthog-integration",
            "posthog-integration-5xx",
            None,
            AT.replace(microsecond=123000),
        ),
        (
            "cloudwatch.raw.firing",
            "posthog-integration",
            "posthog-integration-5xx",
            None,
            AT.replace(microsecond=123000),
        ),
        ("sentry.firing", "posthog-integration", "Many errors of capture", Severity.P1, AT),
        ("sentry.issue.firing", "ours", "Timeout: flags", Severity.P2, AT),
        ("datadog.firing", "posthog-integration", "PostHog errors on posthog-integration", Severity.P2, AT),
        ("new-relic.firing", "ours", "PostHog errors", Severity.P1, AT),
        ("zabbix.firing", "posthog-integration", "PostHog errors", Severity.P2, None),
        (
            "opsgenie.firing",
            "posthog-integration",
            "PostHog errors",
            Severity.P2,
            AT.replace(microsecond=166002),
        ),
    ],
)
def test_each_field_is_what_the_sender_says(
    name: str, service: str, title: str, severity: Severity | None, changed_at: datetime | None
) -> None:
    """With its time in UTC, whatever the sender writes it as."""
    [alert] = read(name)
    assert (alert.service, alert.name, alert.severity) == (service, title, severity)
    assert alert.changed_at == changed_at
    assert alert.summary
    assert alert.starts_at in (AT, AT.replace(microsecond=104000), None)


@pytest.mark.parametrize("name", names_of("acknowledged"))
def test_an_acknowledgement_begins_nothing(name: str) -> None:
    """It is about the same alert."""
    [alert], [fired] = read(name), read(f"{format_of(name)}.firing")
    assert alert.status is ACKNOWLEDGED
    assert alert.key == fired.key


@pytest.mark.parametrize("name", names_of("ignored"))
def test_what_is_no_news_is_no_alert(name: str) -> None:
    """A monitor that tries again, a note, an issue that no rule asks about."""
    assert read(name) == []


@pytest.mark.parametrize("name", names_of("unreadable"))
def test_what_is_not_found_is_told(name: str) -> None:
    """The receiver makes an alert of it that a person can read."""
    with pytest.raises(UnreadablePayload, match="status"):
        read(name)


def test_a_secret_of_the_sender_is_masked() -> None:
    """Uptime Kuma sends the passwords of its monitors along."""
    [alert] = read("uptime-kuma.firing")
    text = alert.model_dump_json()
    assert "hunter2kuma" not in text
    assert "k3yk3yk3y" not in text


@pytest.mark.parametrize("name", [name for name in NAMES if "confirmation" not in name])
def test_what_is_no_confirmation_is_let_through(name: str) -> None:
    """Of any sender."""
    require_no_confirmation(sample(name))


def test_a_confirmation_is_told_apart() -> None:
    """With its topic and its address, and without a call of it."""
    with pytest.raises(ConfirmationWanted) as wanted:
        require_no_confirmation(sample("cloudwatch.confirmation"))
    assert wanted.value.confirmation.topic == "arn:aws:sns:us-east-1:111122223333:alerts"
    assert wanted.value.confirmation.url.startswith("https://sns.us-east-1.amazonaws.com/?Action=Confirm")
    assert "2336412f" not in str(wanted.value)


SNS, TOPIC = "https://sns.us-east-1.amazonaws.com/", "arn:aws:sns:us-east-1:111122223333:alerts"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com@evil.example/?Action=ConfirmSubscription",
        "https://evil.example/?https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com:8443/?Action=ConfirmSubscription",
        "https://sns.us-east-1.evil.amazonaws.com/?Action=ConfirmSubscription",
        "https://s3.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns..amazonaws.com/?a=b",
        "https://sns.us-east-1.amazonaws.com/other?Action=ConfirmSubscription",
        "https://sns.us-east-1.amazonaws.com/?a=b#c",
        "https://sns.us-east-1.amazonaws.com/?a=b\nhttps://evil.example/",
        "https://127.0.0.1/?Action=ConfirmSubscription",
        f"{SNS}?Action=DeleteTopic&TopicArn={TOPIC}&Token=2336",
        f"{SNS}?Action=ConfirmSubscription&TopicArn={TOPIC}-of-mallory&Token=2336",
        f"{SNS}?Action=ConfirmSubscription&TopicArn={TOPIC}&TopicArn=other&Token=2336",
        f"{SNS}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336&Action=Publish",
        f"{SNS}?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336&Message=forged",
        f"{SNS}?Action=ConfirmSubscription&TopicArn={TOPIC}",
        "",
        5,
        None,
        {"a": 1},
    ],
)
def test_only_the_topic_that_is_shown_can_be_confirmed(url: object) -> None:
    """By an address of SNS and with no other act; anything else is an alert that cannot be read."""
    assert not confirms(str(url), TOPIC)
    with pytest.raises(UnreadablePayload) as refused:
        require_no_confirmation(sample("cloudwatch.confirmation") | {"SubscribeURL": url})
    assert not isinstance(refused.value, ConfirmationWanted)
