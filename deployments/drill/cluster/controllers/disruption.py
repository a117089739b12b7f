"""The disruption controller: how many pods of each PodDisruptionBudget may go at the moment.

Only evictions ask a budget, and those are not imitated: a delete never does, here as in a real cluster.

Source: k8s.io/kubernetes/pkg/controller/disruption.
"""

from dataclasses import dataclass

from deployments.drill.cluster.controllers.replication import is_ready
from deployments.drill.cluster.controllers.rollout import resolved
from deployments.drill.cluster.kinds import (
    DEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    STATEFUL_SET,
)
from deployments.drill.cluster.objects import (
    JsonObject,
    controller_of,
    is_terminating,
    labels_of,
    namespace_of,
    uid_of,
)
from deployments.drill.cluster.server.selectors import matches_selector
from deployments.drill.cluster.writes.registry import Registry


@dataclass
class DisruptionController:
    """Keeps the status of every PodDisruptionBudget."""

    registry: Registry

    def reconcile(self) -> None:
        """One pass over all budgets."""
        for budget in self.registry.store.objects(POD_DISRUPTION_BUDGET):
            self.registry.set_status(POD_DISRUPTION_BUDGET, budget, self._status(budget))

    def _status(self, budget: JsonObject) -> JsonObject:
        pods = self._counted(budget)
        healthy = sum(is_ready(pod) and not is_terminating(pod) for pod in pods)
        expected, desired = self._wanted(budget["spec"], pods)
        allowed = max(healthy - desired, 0) if expected else 0
        return {
            "observedGeneration": budget["metadata"]["generation"],
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": [self._condition(budget, allowed > 0)],
        }

    def _counted(self, budget: JsonObject) -> list[JsonObject]:
        selector = budget["spec"].get("selector")
        if selector is None:  # nothing; an empty one is every pod of the namespace
            return []
        pods = self.registry.store.objects(POD, namespace_of(budget))
        return [pod for pod in pods if matches_selector(selector, labels_of(pod))]

    def _wanted(self, spec: JsonObject, pods: list[JsonObject]) -> tuple[int, int]:
        """How many pods there should be, and how many of them must stay healthy."""
        if "maxUnavailable" in spec:
            expected = self._scale(pods)
            return expected, max(expected - resolved(spec["maxUnavailable"], expected, round_up=True), 0)
        if isinstance(spec.get("minAvailable"), str):
            expected = self._scale(pods)
            return expected, resolved(spec["minAvailable"], expected, round_up=True)
        return (len(pods), spec["minAvailable"]) if "minAvailable" in spec else (0, 0)

    def _scale(self, pods: list[JsonObject]) -> int:
        """The replicas that the pods' controllers ask for; a ReplicaSet's are those of its Deployment."""
        store = self.registry.store
        kinds = (DEPLOYMENT, REPLICA_SET, STATEFUL_SET)
        controllers = {uid_of(each): each for kind in kinds for each in store.objects(kind)}
        found: dict[str, JsonObject] = {}
        for pod in pods:
            controller = controllers.get(controller_of(pod) or "")
            while controller and controller_of(controller) in controllers:
                controller = controllers[str(controller_of(controller))]
            if controller:
                found[uid_of(controller)] = controller
        return sum(int(each["spec"]["replicas"]) for each in found.values())

    def _condition(self, budget: JsonObject, allowed: bool) -> JsonObject:
        status = "True" if allowed else "False"
        for before in budget.get("status", {}).get("conditions", []):
            if before["status"] == status:
                return dict(before)
        return {
            "type": "DisruptionAllowed",
            "status": status,
            "observedGeneration": budget["metadata"]["generation"],
            "lastTransitionTime": self.registry.now(),
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
        }
