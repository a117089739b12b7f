"""What runs in the world's cluster: the integration's deployment, its secret and the runbook's role."""

import base64
from pathlib import Path
from typing import Any

import yaml

from deployments.drill.cluster import Rule
from deployments.drill.world.integration.leak import LIMIT_BYTES
from deployments.drill.world.integration.pods import LABELS, POD_COUNT
from deployments.drill.world.keys import Keys

NAMESPACE = "default"
DEPLOYMENT = "posthog-integration"
CONTAINER = "integration"
SELECTOR = ",".join(f"{name}={value}" for name, value in LABELS.items())
SECRET = "posthog-secrets"
SECRET_KEY = "api-key"
PERSONAL_KEY = "personal-api-key"
GOOD_IMAGE = "registry.example.com/posthog-integration:2.3.1"
BAD_IMAGE = "registry.example.com/posthog-integration:2.4.0"
FIXED_IMAGE = "registry.example.com/posthog-integration:2.4.1"
RUNBOOK_USER = "system:serviceaccount:default:incident-runbook"

RBAC = Path(__file__).parents[3] / "kubernetes" / "rbac.yaml"
"""The rights that are shipped for a real cluster. The drill grants just these, so every drill proves them."""

SELF_REVIEW = Rule(
    verbs=("create",), groups=("authorization.k8s.io",), resources=("selfsubjectaccessreviews",)
)
"""What Kubernetes gives to everyone who is authenticated."""


def runbook_rules() -> tuple[Rule, ...]:
    """The rules of all shipped roles."""
    documents = yaml.safe_load_all(RBAC.read_text(encoding="utf-8"))
    return (
        SELF_REVIEW,
        *(
            Rule(
                verbs=tuple(rule["verbs"]),
                groups=tuple(rule["apiGroups"]),
                resources=tuple(rule["resources"]),
                names=tuple(rule.get("resourceNames", ())),
            )
            for document in documents
            if document["kind"] == "Role"
            for rule in document["rules"]
        ),
    )


def secret(keys: Keys) -> dict[str, Any]:
    """Return the secret with the integration's keys."""
    values = {SECRET_KEY: keys.project_key, PERSONAL_KEY: keys.personal_key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "type": "Opaque",
        "data": {
            name: base64.b64encode(v.get_secret_value().encode()).decode() for name, v in values.items()
        },
    }


def deployment(posthog_url: str, image: str) -> dict[str, Any]:
    """Return the deployment, its pods calling PostHog at ``posthog_url``."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE, "labels": dict(LABELS)},
        "spec": {
            "replicas": POD_COUNT,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": dict(LABELS)},
            "template": {
                "metadata": {"labels": dict(LABELS)},
                "spec": {"containers": [_container(posthog_url, image)]},
            },
        },
    }


def in_git(posthog_url: str, mode: str) -> dict[str, Any]:
    """Return the deployment as a team has it in Git, with the labels that Flux adds when it applies it."""
    found = deployment(posthog_url, GOOD_IMAGE)
    found["metadata"]["labels"] |= {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    (container,) = found["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": "RATE_LIMIT_MODE", "value": mode})
    return found


def _container(posthog_url: str, image: str) -> dict[str, Any]:
    limit = f"{LIMIT_BYTES // (1024 * 1024)}Mi"
    return {
        "name": CONTAINER,
        "image": image,
        "env": [
            {"name": "POSTHOG_HOST", "value": posthog_url},
            _from_secret("POSTHOG_API_KEY", SECRET_KEY),
            _from_secret("POSTHOG_PERSONAL_API_KEY", PERSONAL_KEY),
            {"name": "LOG_LEVEL", "value": "info"},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": limit},
        },
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1},
    }


def _from_secret(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}
