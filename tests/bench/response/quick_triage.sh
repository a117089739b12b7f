#!/bin/sh
# The runbook's four commands of Quick Triage, one after the other, as a person would put them into a script.
set -u
curl -s "$STATUS_URL" >/dev/null
curl -s "$HEALTH_URL" >/dev/null
curl -s -G "$PROMETHEUS_URL/api/v1/query" --data-urlencode 'query=rate(posthog_errors_total[5m])' >/dev/null
kubectl --kubeconfig "$KUBECONFIG" logs -l "$SELECTOR" --since=5m --prefix 2>/dev/null |
  grep -i error | tail -20 >/dev/null
