"""The steps of every write: decode, default, validate, check for conflicts, then store if it is no dry run.

Both the HTTP API and the cluster's own controllers write through here, so generation and resourceVersion mean
what they mean in a real cluster: a write that changes nothing stores nothing; a dry run returns the would-be
object under its old resourceVersion.
"""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from deployments.drill.cluster.kinds import DEPLOYMENT, KINDS, NAMESPACE, POD, Kind
from deployments.drill.cluster.objects import (
    JsonObject,
    annotations_of,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    timestamp,
)
from deployments.drill.cluster.server.errors import (
    Cause,
    already_exists,
    bad_request,
    conflict,
    invalid,
    not_found,
    owned_by_others,
)
from deployments.drill.cluster.store import Store
from deployments.drill.cluster.writes.admission import admit
from deployments.drill.cluster.writes.decoding import DecodingError, decoded
from deployments.drill.cluster.writes.defaults import set_defaults
from deployments.drill.cluster.writes.managed_fields import (
    TRACKED,
    Writer,
    abandoned,
    applied,
    disputed,
    updated,
    without,
)
from deployments.drill.cluster.writes.strategic_merge import strategically_merged
from deployments.drill.cluster.writes.validation import violations
from deployments.drill.cluster.writes.write_options import WriteOptions

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no digits that look like letters: k8s.io/apimachinery/pkg/util/rand."""

_SERVER_SET = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")


_STATUS = Writer("kube-controller-manager", subresource="status")


class Registry:
    """Creates, replaces and deletes objects of every kind."""

    def __init__(self, store: Store, clock: Callable[[], datetime], random: Random) -> None:
        self.store = store
        self._clock = clock
        self._random = random

    def now(self) -> str:
        """The current time as the API writes it."""
        return timestamp(self._clock())

    def suffix(self) -> str:
        """Five random characters that make a name unique."""
        return "".join(self._random.choices(NAME_ALPHABET, k=5))

    def find(self, kind: Kind, namespace: str, name: str) -> JsonObject:
        """The stored object, not to be changed. Raises ApiError 404."""
        found = self.store.get(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def create(
        self, kind: Kind, namespace: str, body: JsonObject, options: WriteOptions | None = None
    ) -> JsonObject:
        """Store a new object. Raises DecodingError, or ApiError 400, 404 (namespace), 409 or 422."""
        options = options or WriteOptions()
        obj = self._decoded(kind, body, options)
        metadata = obj.setdefault("metadata", {})
        if kind.namespaced:
            self._place(metadata, namespace)
        if metadata.get("resourceVersion"):
            raise bad_request("resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + self.suffix()
        for key in (*_SERVER_SET, "resourceVersion"):
            metadata.pop(key, None)
        self._finish(kind, obj, None)
        name = name_of(obj)
        if self.store.get(kind, namespace_of(obj), name):
            raise already_exists(kind, name)
        if kind is POD:
            admit(self.store, namespace_of(obj), obj)
        metadata.update(
            uid=str(uuid.UUID(int=self._random.getrandbits(128), version=4)), creationTimestamp=self.now()
        )
        if kind.has_generation:
            metadata["generation"] = 1
        if kind is POD or kind.has_generation:
            obj["status"] = {"phase": "Pending", "qosClass": "Burstable"} if kind is POD else {}
        metadata.pop("managedFields", None)
        self._note_writer(kind, obj, None, options)
        return obj if options.dry_run else copied(self.store.put(kind, obj))

    def _place(self, metadata: JsonObject, namespace: str) -> None:
        if metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if self.store.get(NAMESPACE, "", namespace) is None:
            raise not_found(NAMESPACE, namespace)

    def replace(
        self, kind: Kind, old: JsonObject, body: JsonObject, options: WriteOptions | None = None, *,
        status: bool = False,
    ) -> JsonObject:  # fmt: skip
        """Store a new state of an object; `status` writes only the status, else the status stays.

        Raises DecodingError, or ApiError 400, 409 (a stale resourceVersion, another uid) or 422.
        """
        options = options or WriteOptions()
        name = name_of(old)
        obj = self._decoded(kind, body, options)
        metadata = obj.setdefault("metadata", {})
        self._check_preconditions(kind, metadata, old)
        if metadata.get("name") != name:
            raise invalid(
                kind, name, [Cause.invalid("metadata.name", metadata.get("name", ""), "field is immutable")]
            )
        if status:
            # A status write keeps the spec; annotations pass, which is how the revision is recorded.
            obj = {**copied(old), "status": obj.get("status", {})}
            obj["metadata"]["annotations"] = metadata.get("annotations", {})
            if not obj["metadata"]["annotations"]:
                del obj["metadata"]["annotations"]
        else:
            self._keep_server_fields(metadata, old)
            if "status" in old:
                obj["status"] = old["status"]
            self._finish(kind, obj, old)
            self._bump_generation(kind, obj, old)
        obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        self._note_writer(kind, obj, old, options)
        if options.dry_run or obj == old:
            return copied(obj)
        return copied(self.store.put(kind, obj))

    def _note_writer(
        self, kind: Kind, obj: JsonObject, old: JsonObject | None, options: WriteOptions
    ) -> None:
        """Record who owns which field from now on."""
        if kind not in TRACKED:
            obj["metadata"].pop("managedFields", None)
            return
        managers = options.managers
        if managers is None:
            managers = updated(kind, old, obj, options.writer, self.now())
        obj["metadata"]["managedFields"] = managers

    def _check_preconditions(self, kind: Kind, metadata: JsonObject, old: JsonObject) -> None:
        name = name_of(old)
        version = metadata.get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        if metadata.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
            detail = (
                f"Precondition failed: UID in precondition: {metadata['uid']}, "
                f"UID in object meta: {old['metadata']['uid']}"
            )
            raise conflict(kind, name, detail)

    def _keep_server_fields(self, metadata: JsonObject, old: JsonObject) -> None:
        for key in (*_SERVER_SET, "namespace"):
            metadata.pop(key, None)
            if key in old["metadata"]:
                metadata[key] = old["metadata"][key]

    def _bump_generation(self, kind: Kind, obj: JsonObject, old: JsonObject) -> None:
        if not kind.has_generation:
            return
        changed = obj["spec"] != old["spec"]
        # A Deployment's annotations are copied to its ReplicaSets, so they count as a change there.
        if kind is DEPLOYMENT:
            changed = changed or annotations_of(obj) != annotations_of(old)
        obj["metadata"]["generation"] = old["metadata"]["generation"] + changed

    def _decoded(self, kind: Kind, body: JsonObject, options: WriteOptions) -> JsonObject:
        obj, unknown = decoded(kind, body)
        fields = [f'unknown field "{path}"' for path in unknown]
        if fields and options.validation == "Strict":
            raise DecodingError("strict decoding error: " + ", ".join(fields))
        if options.validation == "Warn":
            options.warnings.extend(fields)
        if (
            body.get("kind", kind.kind) != kind.kind
            or body.get("apiVersion", kind.api_version) != kind.api_version
        ):
            raise bad_request(
                f"the object provided is unrecognized (must be of type {kind.kind}): "
                f"{body.get('apiVersion')}, Kind={body.get('kind')}"
            )
        obj.update(kind=kind.kind, apiVersion=kind.api_version)
        return obj

    def _finish(self, kind: Kind, obj: JsonObject, old: JsonObject | None) -> None:
        set_defaults(kind.kind, obj)
        for key in ("labels", "annotations", "ownerReferences", "finalizers"):
            if obj["metadata"].get(key) in ({}, []):
                del obj["metadata"][key]
        causes = violations(kind.kind, obj, old)
        if causes:
            raise invalid(kind, obj["metadata"].get("name", ""), causes)

    def delete(self, kind: Kind, old: JsonObject, options: JsonObject) -> JsonObject:
        """Delete an object with DeleteOptions: a pod first terminates, everything else goes at once.

        Raises ApiError 409 where a precondition does not hold.
        """
        dry_run = bool(options.get("dryRun"))
        preconditions = options.get("preconditions") or {}
        self._check_preconditions(kind, {key: value for key, value in preconditions.items() if value}, old)
        grace = options.get("gracePeriodSeconds")
        if kind is POD and grace != 0:
            return self._terminate(old, grace, dry_run)
        if options.get("propagationPolicy") == "Orphan" or options.get("orphanDependents"):
            self._orphan_dependents(old, dry_run)
        return old if dry_run else self.store.remove(kind, old)

    def _terminate(self, old: JsonObject, grace: int | None, dry_run: bool) -> JsonObject:
        if is_terminating(old):
            return copied(old)
        obj = copied(old)
        seconds = obj["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        # The timestamp is when the grace will be over, not when the deletion was asked for.
        due = timestamp(self._clock() + timedelta(seconds=seconds))
        obj["metadata"].update(deletionTimestamp=due, deletionGracePeriodSeconds=seconds)
        return obj if dry_run else copied(self.store.put(POD, obj))

    def _orphan_dependents(self, owner: JsonObject, dry_run: bool) -> None:
        for kind in () if dry_run else KINDS:
            for obj in self.store.objects(kind):
                owners = obj["metadata"].get("ownerReferences", [])
                kept = [each for each in owners if each["uid"] != owner["metadata"]["uid"]]
                if kept != owners:
                    self.store.put(kind, {**obj, "metadata": {**obj["metadata"], "ownerReferences": kept}})

    def apply(
        self, kind: Kind, old: JsonObject, config: JsonObject, options: WriteOptions, forced: bool
    ) -> JsonObject:
        """Server-side apply. Fields that the writer no longer names and nobody else owns are removed.

        Raises ApiError 409 where others own what would change, unless it is forced; else as `replace`.
        """
        named = self._decoded(kind, config, options)
        if not forced and (fields := disputed(old, named, options.writer)):
            raise owned_by_others(fields, kind.api_version)
        merged = without(strategically_merged(old, config), abandoned(old, named, options.writer))
        trial = self.replace(kind, old, merged, replace(options, dry_run=True))
        options.managers = applied(kind, old, trial, named, options.writer, self.now())
        return self.replace(kind, old, merged, options)

    def amend(self, kind: Kind, obj: JsonObject, change: Callable[[JsonObject], Any]) -> JsonObject:
        """Apply a controller's change to the current state of an object, if it still exists."""
        current = self.store.get(kind, namespace_of(obj), name_of(obj))
        if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
            return obj
        new = copied(current)
        change(new)
        return self.replace(kind, current, new)

    def set_status(
        self, kind: Kind, obj: JsonObject, status: JsonObject, annotations: JsonObject | None = None
    ) -> JsonObject:
        """Write an object's status as its controller does, with annotations to add where given."""
        current = self.store.get(kind, namespace_of(obj), name_of(obj))
        if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
            return obj
        new = {**current, "status": copied(status)}
        if annotations:
            merged = {**annotations_of(current), **annotations}
            new["metadata"] = {**current["metadata"], "annotations": merged}
        if new == current:
            return current
        if kind in TRACKED:
            managers = updated(kind, current, new, _STATUS, self.now())
            new["metadata"] = {**new["metadata"], "managedFields": managers}
        return self.store.put(kind, new)
