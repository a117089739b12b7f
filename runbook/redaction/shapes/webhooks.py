"""Addresses whose path is the secret: whoever knows a webhook's URL may call it."""

import re

from runbook.redaction.shapes.rules import Rule, rule

_I = re.IGNORECASE
_PART = r"[A-Za-z0-9_%.~@-]"

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
    rule("webhook", "/hooks/", rf"/hooks/(?P<value>[A-Za-z0-9]{{17,}}(?:/{_PART}+)?)"),
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
