"""Addresses whose path is the secret: anybody who knows a webhook's URL can call it."""

import re

from runbook.redaction.shapes.rules import Rule, has_long_run, is_random, rule

_I = re.IGNORECASE
_PART = r"[A-Za-z0-9_%.~@-]"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", _I)


def is_random_or_uuid(value: str) -> bool:
    """Whether a part of a path was generated. In the place of a secret, a UUID counts as one."""
    return _UUID.fullmatch(value) is not None or any(map(is_random, re.findall(r"[A-Za-z0-9]{12,}", value)))


WEBHOOKS: tuple[Rule, ...] = (
    rule(
        "slack-webhook",
        "slack.com slack-gov.com",
        r"hooks\.slack(?:-gov)?\.com\\?/(?:services|triggers|workflows)\\?/(?P<value>[A-Za-z0-9/\\_-]*[A-Za-z0-9_-])",
        flags=_I,
    ),
    rule(
        "discord-webhook",
        "discord",
        rf"discord(?:app)?\.com\\?/api(?:\\?/v[0-9]+)?\\?/webhooks\\?/(?P<value>[0-9]+\\?/{_PART}+)",
        flags=_I,
    ),
    rule(
        "teams-webhook",
        "webhook",
        rf"(?:webhook\.office(?:365)?\.com|outlook\.office(?:365)?\.com)\\?/webhook(?:b2)?\\?/(?P<value>(?:{_PART}|\\?/)+)",
        flags=_I,
    ),
    rule(  # the new kind: a workflow of Power Automate, whose signature is its last parameter
        "teams-webhook",
        "logic.azure.com powerplatform.com powerautomate.com",
        r"(?:logic\.azure|powerplatform|powerautomate)\.com(?::[0-9]+)?\\?/(?P<value>[^\s\"'<>]*triggers[^\s\"'<>]*)",
        flags=_I,
    ),
    rule(
        "google-chat-webhook",
        "chat.googleapis.com",
        r"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_-]+/messages\?(?P<value>[^\s\"'<>]+)",
    ),
    rule(
        "telegram-token",
        "telegram.org",
        rf"api\.telegram\.org\\?/(?:file\\?/)?bot(?P<value>{_PART}+(?::{_PART}+)?)",
    ),
    rule(  # a link that logs somebody in, or lets them in
        "link-token",
        "/",
        rf"/(?:(?:password-?)?reset(?:-password)?|magic-?link|magic|invit(?:e|es|ation|ations)|accept|verify(?:-email)?"
        rf"|confirm(?:-email)?|activat(?:e|ion)|unsubscribe|tokens?|api-?keys?)/(?P<value>{_PART}{{16,}})(?![\w.])",
        flags=_I,
        holds=has_long_run,
    ),
    rule("webhook", "/hooks/", rf"/hooks/(?P<value>[A-Za-z0-9]{{17,}}(?:/{_PART}+)?)"),
    rule(
        "webhook",
        "hook incoming",
        rf"/(?:web-?hooks?|hooks?|incoming)(?:/[a-z][a-z-]{{0,20}})?/(?!deliveries)(?P<value>{_PART}{{16,}})(?![\w.])",
        flags=_I,
        holds=is_random_or_uuid,
    ),
    rule("webhook", "/services/T", rf"/services/T[A-Z0-9]+/B[A-Z0-9]+/(?P<value>{_PART}{{8,}})"),
    rule("webhook", "webhook.site", rf"webhook\.site/(?P<value>{_PART}{{16,}})"),
    rule(
        "webhook", "victorops.com", rf"victorops\.com/integrations/\S{{1,80}}/alert/(?P<value>{_PART}{{16,}})"
    ),
    rule(
        "rpc-key", "infura.io alchemy.com", rf"(?:infura\.io|alchemy\.com)/v[0-9]/(?P<value>{_PART}{{16,}})"
    ),
    rule(
        "heartbeat",
        "cronitor.link nosnch.in",
        rf"(?:cronitor\.link/(?:p/)?|nosnch\.in/)(?P<value>{_PART}{{8,}})",
    ),
    rule(
        "reset-link",
        "reset invite signup verify",
        rf"/(?:password[_-]?)?(?:reset|invites?|signup|verify_email)(?:_password)?/(?:[\w-]{{1,40}}/)?(?P<value>{_PART}{{20,}})",
        holds=is_random_or_uuid,
    ),
    rule("oauth-code", "code=", rf"[?&]code=(?P<value>{_PART}{{16,}})", holds=is_random),
    rule("webhook", "hooks.zapier.com", rf"hooks\.zapier\.com/hooks/catch/(?P<value>(?:{_PART}|/)+)"),
    rule("webhook", "hook.", rf"hook\.[a-z0-9]+\.make\.com/(?P<value>{_PART}{{10,}})"),
    rule("webhook", "maker.ifttt.com", rf"maker\.ifttt\.com/\S{{0,200}}?/key/(?P<value>{_PART}+)"),
    rule("webhook", "open-apis/bot", rf"/open-apis/bot/(?:v2/)?hook/(?P<value>{_PART}+)"),
    rule("webhook", "cgi-bin/webhook", rf"/cgi-bin/webhook/send\?key=(?P<value>{_PART}+)"),
    rule("pagerduty-key", "pagerduty.com", rf"events\.pagerduty\.com/integration/(?P<value>{_PART}+)"),
    rule("heartbeat", "hc-ping.com", r"hc-ping\.com/(?P<value>[A-Za-z0-9_-]{20,}(?:/[a-z0-9_-]+)?)"),
    rule("heartbeat", "/heartbeat/", r"/api/v1/heartbeat/(?P<value>[A-Za-z0-9]{20,})"),
    rule("heartbeat", "/api/push/", r"/api/push/(?P<value>[A-Za-z0-9]{10,})"),
)
