"""The cluster that the integration runs in: what the runbook does with kubectl, through the API."""

from typing import ClassVar

from prefect.blocks.core import Block

from blocks.kubernetes.secret import SecretReads
from blocks.kubernetes.writes import ClusterWrites


class Cluster(ClusterWrites, SecretReads, Block):
    """The integration's workload, its pods and its Secret."""

    _block_type_name: ClassVar[str] = "Runbook cluster"
    _block_type_slug: ClassVar[str] = "runbook-cluster"
    _description: ClassVar[str] = "The Kubernetes cluster that the PostHog integration runs in."
