"""The evidence folder: whatever an incident is called, nothing beside its folder is touched."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prefect.filesystems import LocalFileSystem

from blocks.files.evidence_folder import has_collections, remove_collections, remove_folder, write_file
from blocks.transport.errors import Refused

USES: dict[str, Callable[[LocalFileSystem, str], Awaitable[object]]] = {
    "remove": remove_folder,
    "remove collections": remove_collections,
    "look": has_collections,
    "write": lambda folder, incident: write_file(folder, f"{incident}/x", b"x"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("incident", ["..", ".", "", "../beside", "/beside"])
async def test_an_id_that_leads_elsewhere_is_refused(
    tmp_path: Path, use: Callable[[LocalFileSystem, str], Awaitable[object]], incident: str
) -> None:
    """Ids come from the store, and whoever writes there would have our files removed."""
    kept = tmp_path / "state" / "incidents.db"
    (tmp_path / "state" / "evidence").mkdir(parents=True)
    kept.write_text("kept")
    with pytest.raises(Refused):
        await use(LocalFileSystem(basepath=str(tmp_path / "state" / "evidence")), incident)
    assert kept.read_text() == "kept"
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["evidence", "incidents.db"]


async def test_a_link_in_the_place_of_an_incident_s_folder_is_not_followed(tmp_path: Path) -> None:
    """Nothing behind it is removed or written over."""
    folder, behind = tmp_path / "evidence", tmp_path / "behind"
    folder.mkdir()
    behind.mkdir()
    (behind / "x").write_text("kept")
    (folder / "inc-1").symlink_to(behind)
    evidence = LocalFileSystem(basepath=str(folder))
    for use in (USES["remove"], USES["write"]):
        with pytest.raises(Refused):
            await use(evidence, "inc-1")
    assert (behind / "x").read_text() == "kept"
