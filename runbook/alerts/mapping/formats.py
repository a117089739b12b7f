"""Mappings that are known by name: what programs without a reader of their own send.

Each says which page of its sender's documentation it comes from, and what has to be set there.
`[receiver.plain]` or `[receiver.mapped.NAME]` names one as its `format`, and may change fields of it in its
`mapping`.
"""

from runbook.alerts.mapping.mapping import AlertMapping
from runbook.decision.severity import Severity

P1, P2, P3, P4 = Severity

UPTIME_KUMA = AlertMapping(
    status=("heartbeat.status",),
    firing=("0",),
    resolved=("1",),
    ignored=("2", "3"),
    key=("monitor.id", "heartbeat.monitorID"),
    service=("monitor.tags[service]",),
    name=("monitor.name",),
    summary=("heartbeat.msg", "msg"),
    url=("monitor.url",),
    changed_at=("heartbeat.time",),
    times_are_utc=True,
)
"""Uptime Kuma's notification "Webhook" with the body "Preset - application/json", and the header
`{"Authorization": "Bearer …"}` among its additional headers.

`status` is 0 for down, 1 for up, 2 for pending (it tries again) and 3 for maintenance; `time` is UTC. A
message about a certificate has neither heartbeat nor monitor: it is an alert that cannot be read.
"""

CLOUDWATCH = AlertMapping(
    status=("Message.NewStateValue", "NewStateValue"),
    key=("Message.AlarmArn", "AlarmArn", "Message.AlarmName", "AlarmName"),
    service=("Message.Trigger.Dimensions[ServiceName]", "Trigger.Dimensions[ServiceName]"),
    name=("Message.AlarmName", "AlarmName"),
    summary=("Message.NewStateReason", "NewStateReason", "Message.AlarmDescription", "AlarmDescription"),
    changed_at=("Message.StateChangeTime", "StateChangeTime"),
    delivery=("MessageId",),
)
"""Amazon CloudWatch's alarms through an SNS topic with an HTTPS subscription, with or without raw delivery.

SNS sends no header of ours: subscribe `https://USER:PASSWORD@host/alerts/…`, which it sends as basic
authentication. It first asks for a confirmation, see `runbook.alerts.mapping.sns`. Add the topic to the
alarm's OK actions too. Source: "Parsing Amazon SNS message formats", and CloudWatch's "Notifying users on
alarm changes".
"""

SENTRY = AlertMapping(
    status=("action",),
    firing=("critical", "warning", "triggered"),
    resolved=("resolved",),
    ignored=("created", "assigned", "archived", "ignored", "unresolved", "*"),
    key=("data.metric_alert.id", "data.event.issue_id", "data.issue.id"),
    service=("data.metric_alert.projects[0]",),
    name=(
        "data.metric_alert.alert_rule.name",
        "data.metric_alert.title",
        "data.event.title",
        "data.issue.title",
    ),
    summary=(
        "data.description_text",
        "data.description_title",
        "data.triggered_rule",
        "data.issue.culprit",
        "data.event.title",
    ),
    severity=("data.event.level", "data.issue.level", "action"),
    url=("data.web_url", "data.event.web_url", "data.issue.web_url"),
    started_at=("data.metric_alert.date_started", "data.event.datetime"),
)
"""An internal integration of Sentry, in the actions of metric and issue alerts. It signs with its client
secret in `Sentry-Hook-Signature`. With its webhooks for `issue`, an issue that is resolved ends its
alert; otherwise only metric alerts recover. An issue that is merely created is no alert: a rule says what is
one. Source: Sentry's "Integration Platform", "Webhooks". An issue alert names no service.
"""

DATADOG = AlertMapping(
    status=("alert_transition", "transition"),
    firing=("re warn", "re no data", "re-warn", "re-no data"),
    resolved=("no data recovered",),
    key=("alert_cycle_key", "aggreg_key", "alert_id"),
    service=("tags[service]", "alert_scope[service]"),
    name=("alert_title", "title"),
    summary=("alert_status", "text_only_msg", "body"),
    severity=("alert_priority", "priority", "alert_type"),
    severities={"P5": P4, "success": P4},
    url=("link", "url"),
    changed_at=("date", "date_posix", "last_updated"),
    delivery=("id", "event_id"),
)
"""Datadog's webhooks integration. Its payload is one's own, and by default does not say what recovers. So set

    {"id": "$ID", "alert_transition": "$ALERT_TRANSITION", "alert_cycle_key": "$ALERT_CYCLE_KEY",
     "alert_title": "$ALERT_TITLE", "alert_status": "$ALERT_STATUS", "alert_priority": "$ALERT_PRIORITY",
     "alert_scope": "$ALERT_SCOPE", "tags": "$TAGS", "link": "$LINK", "date": "$DATE"}

and the header `{"Authorization": "Bearer …"}`. Source: "Webhooks" in Datadog's integrations.
"""

NEW_RELIC = AlertMapping(
    status=("state",),
    firing=("CREATED", "ACTIVATED"),
    resolved=("CLOSED", "DEACTIVATED"),
    key=("issueId", "id"),
    service=("labels.service", "tags.service"),
    name=("alertConditionNames[0]", "title"),
    summary=("title",),
    severity=("priority",),
    severities={"CRITICAL": P1, "HIGH": P2, "MEDIUM": P3, "LOW": P4},
    url=("issueUrl",),
    started_at=("createdAt",),
    changed_at=("updatedAt",),
)
"""A webhook of New Relic's workflows with its default payload, and a destination with bearer authentication.

Have it notify of issues that are closed, too. The payload names entities, and no service: `mapping` may
say `service = "impactedEntities[0]"` where they are called as services are.
"""

ZABBIX = AlertMapping(
    status=("event_value", "event_status"),
    firing=("1",),
    resolved=("0",),
    key=("event_id", "trigger_id"),
    service=("event_tags[service]", "service"),
    name=("event_name", "trigger_name", "alert_subject"),
    summary=("alert_message", "event_opdata", "alert_subject", "event_name"),
    severity=("event_nseverity", "event_severity"),
    severities={
        **{"5": P1, "4": P2, "3": P3, "2": P3, "1": P4, "0": P4},
        **{"Disaster": P1, "High": P2, "Average": P3, "Warning": P3, "Information": P4},
        "Not classified": P4,
    },
    url=("event_url", "trigger_url"),
    started_at=("event_timestamp",),
)
"""A webhook media type of Zabbix, whose script posts its parameters as JSON:

    event_id = {EVENT.ID}, event_value = {EVENT.VALUE}, event_name = {EVENT.NAME},
    event_tags = {EVENT.TAGSJSON}, event_nseverity = {EVENT.NSEVERITY},
    alert_message = {ALERT.MESSAGE}, event_url = {TRIGGER.URL}

`{EVENT.ID}` of a recovery is that of its problem. Source: "Supported macros" in Zabbix' documentation.
"""

OPSGENIE = AlertMapping(
    status=("action",),
    firing=("Create", "UnAcknowledge"),
    acknowledged=("Acknowledge",),
    resolved=("Close", "Delete"),
    ignored=("*",),
    key=("alert.alertId",),
    service=("alert.details.service", "alert.tags[service]"),
    name=("alert.message",),
    summary=("alert.description", "alert.message"),
    severity=("alert.priority",),
    severities={"P5": P4},
    started_at=("alert.createdAt",),
    changed_at=("alert.updatedAt",),
)
"""Opsgenie's outgoing webhook, with the header `Authorization: Bearer …` among its custom headers.

Its other actions (notes, tags, owners) are no news about the condition. Source: "Webhook integration" and
"Alert action data" in Opsgenie's documentation.
"""

FORMATS: dict[str, AlertMapping] = {
    "uptime-kuma": UPTIME_KUMA,
    "cloudwatch": CLOUDWATCH,
    "sentry": SENTRY,
    "datadog": DATADOG,
    "new-relic": NEW_RELIC,
    "zabbix": ZABBIX,
    "opsgenie": OPSGENIE,
}
"""By name."""
