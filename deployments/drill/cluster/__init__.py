"""A simulated Kubernetes cluster for drills; see `cluster` for what it imitates and what it does not."""

from deployments.drill.cluster.cluster import Cluster, RunningPod
from deployments.drill.cluster.faults import Fault
from deployments.drill.cluster.recording import RecordedRequest
from deployments.drill.cluster.server.auth import ADMIN, Rule
from deployments.drill.cluster.server.serving import ServedCluster, kubeconfig, serve

__all__ = [
    "ADMIN",
    "Cluster",
    "Fault",
    "RecordedRequest",
    "Rule",
    "RunningPod",
    "ServedCluster",
    "kubeconfig",
    "serve",
]
