"""The temporary switches: every action that has one in its spec, and the one that takes it off."""

from collections.abc import Callable

from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import TemporarySwitch
from runbook.kubernetes.fields import AnyField, EnvironmentVariable
from tasks.actions.changes.base import Change, Mitigations
from tasks.actions.changes.set_field import SetField, TakeOff, Workload
from tasks.actions.changes.workload import container_of


def _variable(switch: TemporarySwitch) -> Callable[[Change, Workload], AnyField]:
    def field(change: Change, workload: Workload) -> AnyField:
        """The one that this incident has turned on, if it has; else the configured one."""
        if change.done is not None and change.done.setting is not None:
            return change.done.setting.field
        return EnvironmentVariable(
            container=container_of(change, workload), variable=switch.setting(change.policy).variable
        )

    return field


def _switch_on(switch: TemporarySwitch) -> SetField:
    return SetField(field=_variable(switch), wanted=lambda change: switch.setting(change.policy).value)


def _switch_off(switch: TemporarySwitch) -> TakeOff:
    return TakeOff(field=_variable(switch), wanted=lambda _change: None, on=_switch_on(switch))


_SWITCHES = {spec: spec.switch for spec in CATALOGUE.values() if spec.switch is not None}

MITIGATIONS: Mitigations = {
    **{spec: _switch_on(switch) for spec, switch in _SWITCHES.items()},
    **{switch.off: _switch_off(switch) for switch in _SWITCHES.values()},
}
