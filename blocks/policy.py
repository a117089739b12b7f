"""The runbook's policy as a Prefect block, so that every run reads the same one."""

from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import Field

from runbook.policy.policy import Policy


class RunbookPolicy(Block):
    """Thresholds, clocks, names and standing permissions of one environment."""

    _block_type_name: ClassVar[str] = "Runbook policy"
    _block_type_slug: ClassVar[str] = "runbook-policy"
    _description: ClassVar[str] = "Thresholds, clocks, names and what may happen without asking."

    policy: Policy = Field(default=Policy(), title="Policy", description="The rules' configuration.")
