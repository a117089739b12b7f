"""The work pool's job template: no run, deployment or schedule chooses a command, an environment or a folder.

Prefect fills a template's placeholders with job variables, which whoever may start a run may send along. This
one has none, so a worker of any kind starts each run in the same way. It has no `env` either: Prefect adds a
run's own variables to the `env` of a template, placeholder or not. It is for `prefect work-pool create` too.
"""

import json
from pathlib import Path
from typing import Any

TEMPLATE_FILE = Path(__file__).parent / "work_pool.json"


def fixed_template() -> dict[str, Any]:
    """The base job template of our pool."""
    template: dict[str, Any] = json.loads(TEMPLATE_FILE.read_text(encoding="utf-8"))
    return template
