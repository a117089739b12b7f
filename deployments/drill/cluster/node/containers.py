"""The state of a pod's containers as the kubelet knows it, and the status that it reports from it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deployments.drill.cluster.node.logs import Log
from deployments.drill.cluster.objects import JsonObject, timestamp
from deployments.drill.cluster.server.errors import ApiError, bad_request

NODE_NAME = "drill-node-1"
NODE_IP = "192.0.2.10"
NODE_STATUS: JsonObject = {
    "addresses": [{"type": "InternalIP", "address": NODE_IP}, {"type": "Hostname", "address": NODE_NAME}],
    "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    "nodeInfo": {  # clients refuse a node that lacks one of these
        "architecture": "amd64",
        "bootID": "00000000-0000-4000-8000-000000000001",
        "containerRuntimeVersion": "containerd://1.7.27",
        "kernelVersion": "6.1.0",
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.32.4",
        "machineID": "00000000000040008000000000000001",
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": "00000000-0000-4000-8000-000000000001",
    },
}


def waiting(reason: str, message: str = "") -> JsonObject:
    """A containerState: not running, with the reason that `kubectl get pods` shows."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


@dataclass
class ContainerRun:
    """One container of a pod: its current run, the one before, and what each wrote."""

    spec: JsonObject
    state: JsonObject = field(default_factory=lambda: waiting("ContainerCreating"))
    last_state: JsonObject = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    started_at: datetime | None = None
    ready: bool = False
    restarts: int = 0
    failed_pulls: int = 0
    logs: list[Log] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """The container's name in the pod."""
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return "running" in self.state

    @property
    def waiting_reason(self) -> str:
        """Why it does not run, or empty."""
        return str(self.state.get("waiting", {}).get("reason", ""))

    def start(self, at: datetime, environment: Mapping[str, str]) -> None:
        """A new run begins, with its own log."""
        if "terminated" in self.state:
            self.last_state = self.state
        if self.logs:
            self.restarts += 1
        self.logs = [*self.logs[-1:], Log()]
        self.environment = dict(environment)
        self.started_at = at
        self.state = {"running": {"startedAt": timestamp(at)}}

    def end(self, at: datetime, reason: str, exit_code: int) -> None:
        """End the current run. It becomes the last state when the next one starts or waits."""
        began = self.state.get("running", {}).get("startedAt", timestamp(at))
        ended = {"exitCode": exit_code, "reason": reason, "startedAt": began, "finishedAt": timestamp(at),
                 "containerID": f"containerd://{self.name}-{self.restarts}"}  # fmt: skip
        self.state = {"terminated": ended}
        self.ready = False
        self.logs[-1].close()

    def wait(self, reason: str, message: str = "") -> None:
        """Not running for a reason; a run that ended before becomes the last state."""
        if "terminated" in self.state:
            self.last_state = self.state
        self.state = waiting(reason, message)
        self.ready = False

    def log(self, pod: str, previous: bool) -> Log:
        """The log of the current or the previous run. Raises ApiError 400 where the kubelet would."""
        if previous:
            if not self.last_state:
                raise bad_request(f'previous terminated container "{self.name}" in pod "{pod}" not found')
            # Until the next run begins, the run before is the newest there is.
            return self.logs[-1] if "waiting" in self.state else self.logs[-2]
        if self.waiting_reason and not self.last_state:
            raise self._not_started(pod)
        return self.logs[-1]

    def _not_started(self, pod: str) -> ApiError:
        texts = {
            "ErrImagePull": "image can't be pulled",
            "ImagePullBackOff": "trying and failing to pull image",
        }
        why = texts.get(self.waiting_reason, self.waiting_reason)
        return bad_request(f'container "{self.name}" in pod "{pod}" is waiting to start: {why}')

    def status(self) -> JsonObject:
        """The containerStatus."""
        image = str(self.spec.get("image", ""))
        pulled = bool(self.logs)
        return {
            "name": self.name,
            "image": image,
            "imageID": f"{image}@sha256:{'0' * 64}" if pulled else "",
            "ready": self.ready,
            "restartCount": self.restarts,
            "started": self.running,
            "state": self.state,
            "lastState": self.last_state,
            **({"containerID": f"containerd://{self.name}-{self.restarts}"} if pulled else {}),
        }


@dataclass
class PodRun:
    """One pod on the node."""

    pod: JsonObject
    ip: str
    admitted_at: datetime
    containers: dict[str, ContainerRun]
    probe_passes: bool = True
    stopping: bool = False
    timers: set[asyncio.TimerHandle] = field(default_factory=set, repr=False)

    @property
    def main(self) -> ContainerRun:
        """The first container."""
        return next(iter(self.containers.values()))

    @property
    def running(self) -> bool:
        """Whether its main process works: started, and not told to stop."""
        return self.main.running and not self.stopping

    def container(self, name: str) -> ContainerRun:
        """A container by name; an empty name means the only one. Raises ApiError 400."""
        pod = self.pod["metadata"]["name"]
        if name:
            if name not in self.containers:
                raise bad_request(f"container {name} is not valid for pod {pod}")
            return self.containers[name]
        if len(self.containers) > 1:
            listed = " ".join(self.containers)
            raise bad_request(f"a container name must be specified for pod {pod}, choose one of: [{listed}]")
        return self.main

    def status(self, at: datetime) -> JsonObject:
        """The pod's status as the kubelet reports it."""
        runs = list(self.containers.values())
        began = any(run.logs for run in runs)
        ready = bool(runs) and all(run.ready for run in runs)
        before = {each["type"]: each for each in self.pod.get("status", {}).get("conditions", [])}
        unready = [run.name for run in runs if not run.ready]
        why = {} if ready else {
            "reason": "ContainersNotReady",
            "message": f"containers with unready status: [{' '.join(unready)}]",
        }  # fmt: skip
        conditions = [
            _condition("PodReadyToStartContainers", True, at, before),
            _condition("Initialized", True, at, before),
            _condition("Ready", ready, at, before, **why),
            _condition("ContainersReady", ready, at, before, **why),
            _condition("PodScheduled", True, at, before),
        ]
        return {
            "phase": "Running" if began else "Pending",
            "conditions": conditions,
            "hostIP": NODE_IP,
            "hostIPs": [{"ip": NODE_IP}],
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "startTime": timestamp(self.admitted_at),
            "containerStatuses": [run.status() for run in runs],
            "qosClass": "Burstable",
        }


def _condition(
    kind: str, holds: bool, at: datetime, before: Mapping[str, JsonObject], **why: Any
) -> JsonObject:
    status = "True" if holds else "False"
    changed = before.get(kind, {}).get("status") != status
    since = timestamp(at) if changed else before[kind]["lastTransitionTime"]
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since, **why}
