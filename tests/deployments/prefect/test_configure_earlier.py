"""What an earlier release has saved in Prefect is read by this one."""

from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate

from blocks.environment import Environment
from deployments.prefect.configure import configure
from tests.deployments.prefect.test_configure import settings, tables

__all__ = ["tables"]  # a fixture, found here

pytestmark = [pytest.mark.proof, pytest.mark.real]


@pytest.mark.usefixtures("prefect_api")
async def test_the_cluster_block_of_an_earlier_release_is_read(
    tables: dict[str, Any], tmp_path: Path
) -> None:
    """It calls the workload a deployment; a run that was suspended under it goes on with the same target."""
    wanted = settings(tables | {"cluster": {"workload_name": "shop", "namespace": "eu"}}, tmp_path)
    await configure(wanted)
    name = wanted.prefect.environment
    async with get_client() as client:
        saved = await client.read_block_document_by_name(name, "runbook-cluster")
        data = dict(saved.data)
        data["deployment"] = data.pop("workload_name")
        await client.update_block_document(
            saved.id, BlockDocumentUpdate(data=data, merge_existing_data=False)
        )
        kept = await client.read_block_document_by_name(name, "runbook-cluster")
        assert "workload_name" not in kept.data
    cluster = (await Environment.load(name)).cluster
    assert cluster is not None
    assert cluster.target == "eu/deployment/shop"
