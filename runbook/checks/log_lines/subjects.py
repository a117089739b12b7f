"""What an error is about: PostHog, something else for certain, or perhaps either.

The status of an error that is certainly about something else says nothing about PostHog, and one that cannot
be placed is no evidence that PostHog is well.
"""

import re
from enum import StrEnum


class Subject(StrEnum):
    """What a line is about.

    `UNSAID`: no other system is named, which for the integration means PostHog. `UNCERTAIN`: another host is
    named, which may be a proxy before PostHog, or it is our own answer to a client, of whatever cause.
    """

    POSTHOG = "posthog"
    UNSAID = "unsaid"
    UNCERTAIN = "uncertain"
    OTHER = "other"


_OWN_NAME = re.compile(
    r"posthog[-_. ]?integration|\b(?:service|app|application|pod|container|deployment|component|job|namespace"
    r"|hostname|environment|release)=[\"']?[\w.-]{0,100}",
    re.IGNORECASE | re.ASCII,
)
_POSTHOG = re.compile(
    r"posthog|\bph[cxs]_\w|/i/v0/e\b|/batch/|/decide/|/flags/?\?v=", re.IGNORECASE | re.ASCII
)
_OTHERS = re.compile(
    r"\b(?:postgres\w*|psycopg\w*|pg_\w+|mysql\w*|mariadb|sqlite\w*|sqlalchemy|database|deadlock|redis\w*"
    r"|memcached?|mongo\w*|kafka\w*|rabbitmq|amqp\w*|elasticsearch|opensearch|cassandra|dynamodb|s3|sqs|sns"
    r"|googleapi\w*|gcs|stripe|twilio|sendgrid|mailgun|smtp|slack|sentry|datadog|salesforce|hubspot|zendesk"
    r"|disk|no space left|read-only file system|no such file|directory"
    r"|(?:read|write|open|create|delete|save|load|parse)(?: (?:the|to|from|into))? (?:\w{1,30} )?file"
    r"|out of memory|oomkilled|heap|address already in use|worker process"
    r"|reflector\.go|leader ?election)\b|\bbind\(\)|\*v[0-9]\w{0,10}\.",
    re.IGNORECASE | re.ASCII,
)
_HOST = re.compile(r"\bhttps?://(?!localhost\b|127\.)[\w.-]{1,200}", re.IGNORECASE | re.ASCII)


def subject_of(text: str, *, inbound: bool) -> Subject:
    """What a text is about; `inbound` says that it is our own answer to a client."""
    if _POSTHOG.search(_OWN_NAME.sub("", text)):
        return Subject.POSTHOG
    if _OTHERS.search(text):
        return Subject.OTHER
    return Subject.UNCERTAIN if inbound or _HOST.search(text) else Subject.UNSAID
