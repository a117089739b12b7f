"""The node: starts, probes, restarts and stops the containers of pods, and reports their status.

Every step is a timer or an answer to a stored change; nothing polls.
Source: k8s.io/kubernetes/pkg/kubelet (sync loop, container back-off, image back-off).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deployments.drill.cluster.events import Recorder
from deployments.drill.cluster.kinds import NODE, POD
from deployments.drill.cluster.node.containers import NODE_NAME, ContainerRun, PodRun, waiting
from deployments.drill.cluster.node.environment import ConfigurationError, environment
from deployments.drill.cluster.objects import JsonObject, is_terminating, name_of, namespace_of, uid_of
from deployments.drill.cluster.writes.registry import Registry

_BACKOFF_CAP = 30
"""A real kubelet backs off from 10 s to 300 s: thirty times the first wait."""


@dataclass
class Speeds:
    """How long things take, in seconds. A real cluster takes tens of seconds for each."""

    pod_start: float = 0.3
    pod_stop: float = 0.3
    first_backoff: float = 1.0


@dataclass
class Kubelet:
    """Runs the pods of the one node."""

    registry: Registry
    clock: Callable[[], datetime]
    speeds: Speeds
    image_faults: Mapping[str, str]
    pods: dict[str, PodRun] = field(default_factory=dict)
    past: set[str] = field(default_factory=set)
    _addresses: int = 9

    def __post_init__(self) -> None:
        self._events = Recorder(self.registry, "kubelet", NODE_NAME)
        self._scheduler = Recorder(self.registry, "default-scheduler")

    def reconcile(self) -> None:
        """Take up new pods, stop deleted ones, forget those gone, retry failed configurations."""
        stored = {uid_of(pod): pod for pod in self.registry.store.objects(POD)}
        for uid in [uid for uid in self.pods if uid not in stored]:
            self._forget(uid)
        for uid, pod in stored.items():
            run = self.pods.get(uid)
            if run is None:
                self._admit(pod)
                continue
            run.pod = pod
            if is_terminating(pod) and not run.stopping:
                self._stop(run)
            for container in run.containers.values():
                if container.waiting_reason == "CreateContainerConfigError":
                    self._start(run, container)

    def stop(self) -> None:
        """Cancel everything that is still to happen."""
        for run in self.pods.values():
            for timer in run.timers:
                timer.cancel()
            run.timers.clear()

    def find(self, name: str) -> PodRun:
        """The pod with this name. Raises KeyError."""
        for run in self.pods.values():
            if name_of(run.pod) == name:
                return run
        raise KeyError(name)

    def _admit(self, pod: JsonObject) -> None:
        self._addresses += 1
        containers = {each["name"]: ContainerRun(each) for each in pod["spec"]["containers"]}
        address = f"10.244.{self._addresses // 250}.{self._addresses % 250 + 1}"
        run = PodRun(pod, address, self.clock(), containers)
        self.pods[uid_of(pod)] = run
        if not pod["spec"].get("nodeName"):
            run.pod = self._bound(pod)
            text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {NODE_NAME}"
            self._scheduler.record(pod, "Scheduled", text)
        self._report(run)
        for container in containers.values():
            self._later(run, self.speeds.pod_start / 2, self._start, container)

    def _bound(self, pod: JsonObject) -> JsonObject:
        # Binding is the scheduler's own write: the rule that a pod's spec stays does not hold for it.
        return self.registry.store.put(POD, {**pod, "spec": {**pod["spec"], "nodeName": NODE_NAME}})

    def _later(self, run: PodRun, seconds: float, step: Callable[..., None], *args: Any) -> None:
        def due() -> None:
            run.timers.discard(timer)
            step(run, *args)

        timer = asyncio.get_running_loop().call_later(seconds, due)
        run.timers.add(timer)

    def _report(self, run: PodRun) -> None:
        run.pod = self.registry.set_status(POD, run.pod, run.status(self.clock()))

    def _start(self, run: PodRun, container: ContainerRun) -> None:
        if run.stopping or container.running:
            return
        image = str(container.spec.get("image", ""))
        where = f"spec.containers{{{container.name}}}"
        fault = self.image_faults.get(image)
        if fault == "ImagePullBackOff":
            self._fail_pull(run, container, image, where)
            return
        try:
            variables = environment(self.registry.store, run.pod, container.spec)
        except ConfigurationError as error:
            if container.state != waiting("CreateContainerConfigError", str(error)):
                container.wait("CreateContainerConfigError", str(error))
                self._events.record(run.pod, "Failed", f"Error: {error}", warning=True, field_path=where)
                self._report(run)
            return
        container.start(self.clock(), variables)
        text = f'Container image "{image}" already present on machine'
        self._events.record(run.pod, "Pulled", text, field_path=where)
        self._events.record(run.pod, "Created", f"Created container: {container.name}", field_path=where)
        self._events.record(run.pod, "Started", f"Started container {container.name}", field_path=where)
        self._report(run)
        if fault:
            container.logs[-1].write(self.clock(), f"FATAL cannot start: the build {image} is broken")
            self._later(run, self.speeds.pod_start / 4, self._die, container, "Error", 1)
        else:
            self._later(run, self.speeds.pod_start / 2, self._probe, container)

    def _fail_pull(self, run: PodRun, container: ContainerRun, image: str, where: str) -> None:
        container.failed_pulls += 1
        if container.failed_pulls == 1:
            text = f'Failed to pull image "{image}": not found'
            container.wait("ErrImagePull", f'failed to pull and unpack image "{image}": not found')
            self._events.record(run.pod, "Failed", text, warning=True, field_path=where)
            self._events.record(run.pod, "Failed", "Error: ErrImagePull", warning=True, field_path=where)
        else:
            container.wait("ImagePullBackOff", f'Back-off pulling image "{image}"')
            self._events.record(run.pod, "BackOff", f'Back-off pulling image "{image}"', field_path=where)
        self._report(run)
        self._later(run, self._backoff_seconds(container.failed_pulls), self._start, container)

    def _backoff_seconds(self, failures: int) -> float:
        first = self.speeds.first_backoff
        return float(min(first * 2 ** max(failures - 1, 0), first * _BACKOFF_CAP))

    def _probe(self, run: PodRun, container: ContainerRun) -> None:
        if run.stopping or not container.running or container.ready == run.probe_passes:
            return
        container.ready = run.probe_passes
        if not run.probe_passes:
            text = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            where = f"spec.containers{{{container.name}}}"
            self._events.record(run.pod, "Unhealthy", text, warning=True, field_path=where)
        self._report(run)

    def set_ready(self, name: str, ready: bool) -> None:
        """From now on the readiness probes of a pod pass, or fail. Raises KeyError."""
        run = self.find(name)
        run.probe_passes = ready
        for container in run.containers.values():
            self._probe(run, container)

    def terminate(self, name: str, reason: str, exit_code: int) -> None:
        """The main process of a pod dies. Raises KeyError for a pod that does not exist or does not run."""
        run = self.find(name)
        if not run.main.running:
            raise KeyError(f"{name}: container {run.main.name} is not running")
        self._die(run, run.main, reason, exit_code)

    def _die(self, run: PodRun, container: ContainerRun, reason: str, exit_code: int) -> None:
        if run.stopping or not container.running:
            return
        container.end(self.clock(), reason, exit_code)
        if reason == "OOMKilled":
            self._record_oom(run, container)
        if container.restarts:
            self._back_off(run, container)
            return
        # The first restart comes at once: a kubelet's back-off only starts with it.
        self._report(run)
        self._later(run, self.speeds.pod_start / 2, self._start, container)

    def _back_off(self, run: PodRun, container: ContainerRun) -> None:
        wait = self._backoff_seconds(container.restarts)
        pod = f"{name_of(run.pod)}_{namespace_of(run.pod)}({uid_of(run.pod)})"
        text = f"back-off {wait:g}s restarting failed container={container.name} pod={pod}"
        container.wait("CrashLoopBackOff", text)
        text = f"Back-off restarting failed container {container.name} in pod {pod}"
        where = f"spec.containers{{{container.name}}}"
        self._events.record(run.pod, "BackOff", text, warning=True, field_path=where)
        self._report(run)
        self._later(run, wait, self._start, container)

    def _record_oom(self, run: PodRun, container: ContainerRun) -> None:
        # The kernel reports the kill, so a real cluster's event is about the node, not about the pod.
        node = self.registry.store.get(NODE, "", NODE_NAME)
        limit = container.spec.get("resources", {}).get("limits", {}).get("memory", "none")
        text = (
            f"Memory cgroup out of memory: Killed process of container {container.name} "
            f"in pod {name_of(run.pod)} (limit {limit})"
        )
        if node is not None:
            kernel = Recorder(self.registry, "kernel-monitor", NODE_NAME)
            kernel.record(node, "OOMKilling", text, warning=True)

    def _stop(self, run: PodRun) -> None:
        run.stopping = True
        for container in run.containers.values():
            where = f"spec.containers{{{container.name}}}"
            self._events.record(run.pod, "Killing", f"Stopping container {container.name}", field_path=where)
        grace = float(run.pod["metadata"].get("deletionGracePeriodSeconds", 30))
        self._later(run, min(self.speeds.pod_stop, grace), self._remove)

    def _remove(self, run: PodRun) -> None:
        current = self.registry.store.get(POD, namespace_of(run.pod), name_of(run.pod))
        if current is not None and uid_of(current) == uid_of(run.pod):
            self.registry.store.remove(POD, current)

    def _forget(self, uid: str) -> None:
        run = self.pods.pop(uid)
        self.past.add(name_of(run.pod))
        for timer in run.timers:
            timer.cancel()
        for container in run.containers.values():
            for log in container.logs:
                log.close()

    def close_logs(self) -> None:
        """End every followed log, as a server that shuts down does."""
        for run in self.pods.values():
            for container in run.containers.values():
                for log in container.logs:
                    log.end_followers()
