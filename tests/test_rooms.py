"""The rooms of the house: how large they are, what each offers, and that nobody uses the rest."""

import ast
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("runbook", "blocks", "tasks", "flows", "deployments")
MOST_FILES = 15
MOST_LINES = 300


def module_file(module: str) -> Path:
    """The file of a module, or of a package's `__init__`."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, in all layers."""
    return grimp.build_graph(*LAYERS)


@pytest.fixture(scope="module")
def rooms(graph: grimp.ImportGraph) -> list[str]:
    """The packages below the layers, such as `blocks.store` and `blocks.store.database`."""
    return sorted(module for module in graph.modules if "." in module and graph.find_children(module))


def offered(room: str) -> set[str]:
    """What a room's `__init__` names in `__all__`."""
    for node in ast.parse(module_file(room).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return set(names)
    return set()


def used_from_outside(graph: grimp.ImportGraph, room: str) -> dict[str, set[str]]:
    """The parts of a room that modules outside of it import, each with those modules."""
    used: dict[str, set[str]] = {}
    for module in graph.find_descendants(room):
        part = module.removeprefix(f"{room}.").split(".")[0]
        for importer in graph.find_modules_that_directly_import(module):
            if importer != room and not importer.startswith(f"{room}."):
                used.setdefault(part, set()).add(importer)
    return used


def test_a_room_is_used_through_what_it_offers(graph: grimp.ImportGraph, rooms: list[str]) -> None:
    """Modules outside of a room import only those of its modules that its `__init__` names."""
    past = [
        f"{importer} imports {room}.{part}"
        for room in rooms
        for part, importers in used_from_outside(graph, room).items()
        for importer in sorted(importers)
        if part not in offered(room)
    ]
    assert past == []


def test_a_room_offers_only_what_somebody_uses(graph: grimp.ImportGraph, rooms: list[str]) -> None:
    """A module that `__all__` names is used outside of the room; a function or class is one of the room's."""
    stale = [
        f"{room}.{name}"
        for room in rooms
        for name in sorted(offered(room))
        if f"{room}.{name}" in graph.modules and name not in used_from_outside(graph, room)
    ]
    assert stale == []


def test_each_room_says_what_it_is_for(rooms: list[str]) -> None:
    """An `__init__` begins with a sentence about its room."""
    unsaid = [room for room in rooms if not ast.get_docstring(ast.parse(module_file(room).read_text()))]
    assert unsaid == []


def test_no_room_is_overfull(graph: grimp.ImportGraph, rooms: list[str]) -> None:
    """A folder has at most 15 files of code, unless its `__init__` says why it has more."""
    overfull = {}
    for room in (*LAYERS, *rooms):
        parts = len(set(graph.find_children(room)) - set(rooms))
        reason = ast.get_docstring(ast.parse(module_file(room).read_text())) or ""
        if parts > MOST_FILES and "More than 15 files:" not in reason:
            overfull[room] = parts
    assert overfull == {}


def uses_of_fn(source: str) -> list[int]:
    """The lines that name a `.fn`: the function inside a Prefect task or flow."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))
    return [node.lineno for node in found if node.attr == "fn"]


def test_a_step_is_called_without_its_task() -> None:
    """Whoever needs no Prefect calls the plain step; nobody takes a task apart for it."""
    assert uses_of_fn("await escalate.fn(incident)") == [1]
    assert uses_of_fn("make = escalate.fn if away else escalate") == [1]
    files = (path for part in (*LAYERS, "tests") for path in (ROOT / part).rglob("*.py"))
    taken_apart = [
        f"{path.relative_to(ROOT)}:{line}" for path in files for line in uses_of_fn(path.read_text())
    ]
    assert taken_apart == []


def is_made_by_task(node: ast.expr) -> bool:
    """Whether an expression calls Prefect's `task`."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "task"


def decorated_steps(source: str) -> list[str]:
    """The functions that `@task` turns into tasks where they are written."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AsyncFunctionDef))
    return [one.name for one in functions if any(is_made_by_task(item) for item in one.decorator_list)]


def test_steps_are_plain_functions() -> None:
    """A step is a function of its own; `shown.py` of its room makes a task of it.

    What only Prefect has, its artifacts, is a task where it is written.
    """
    assert decorated_steps("@task(name='a')\nasync def step(): ...") == ["step"]
    tasks = {
        str(path.relative_to(ROOT)): steps
        for path in sorted((ROOT / "tasks").rglob("*.py"))
        if path.name != "shown.py" and (steps := decorated_steps(path.read_text()))
    }
    assert list(tasks) == ["tasks/artifacts.py"]


@pytest.mark.parametrize("folder", [*LAYERS, "tests"])
def test_no_file_is_longer_than_300_lines(folder: str) -> None:
    """A file, of tests as well, has one subject, and so at most 300 lines."""
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
