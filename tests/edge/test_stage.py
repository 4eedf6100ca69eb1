"""What is attached to a Worker: exactly what its entry imports, and what the project declares."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.stage_worker import (
    ENTRY,
    ROOT,
    CannotStage,
    import_closure,
    stage,
    staged,
    third_party,
    vendor,
)
from tests.edge.staging import staged_worker

GOLDEN = Path(__file__).with_name("modules.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORBIDDEN = {
    *("alembic", "click", "cryptography", "httpx", "rich", "sqlalchemy", "structlog"),
    *("sqlite3", "ssl", "threading", "concurrent", "multiprocessing", "subprocess", "uvicorn"),
}


def declared_with_their_own() -> dict[str, set[str]]:
    """The import names of each declared dependency, and of what it depends on in turn."""
    owners = metadata.packages_distributions()
    found = {}
    for line in PROJECT["dependencies"]:
        waiting, family = [canonicalize_name(Requirement(line).name)], set()
        while waiting:
            name = waiting.pop()
            if name in family:
                continue
            family.add(name)
            needed = map(Requirement, metadata.requires(name) or ())
            waiting += [
                canonicalize_name(each.name)
                for each in needed
                if each.marker is None or each.marker.evaluate({"extra": ""})
            ]
        found[line] = {
            top for top, by in owners.items() if family & {canonicalize_name(name) for name in by}
        }
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project whose entry imports one module, and names another for types only."""
    files = {
        "edge/__init__.py": "",
        "edge/entry.py": "from gateway import app\nfrom gateway.app import answer\nimport js\n",
        "gateway/__init__.py": "",
        "gateway/app.py": (
            "from __future__ import annotations\nimport json\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from gateway.other import Thing\n"
            "from .near import neighbour\n"
            "def answer():\n    from core import late\n    import starlette.routing\n"
        ),
        "gateway/near.py": "neighbour = 1\n",
        "gateway/other.py": "Thing = int\n",
        "core/__init__.py": "",
        "core/late.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_closure_holds_what_can_run(project: Path) -> None:
    closure = import_closure(project)
    assert set(closure.modules) == {
        *("edge", "edge.entry", "gateway", "gateway.app", "gateway.near", "core", "core.late"),
    }
    assert third_party(closure) == {"starlette"}


def test_an_import_of_nothing_is_refused(project: Path) -> None:
    (project / "gateway/near.py").write_text("from gateway.gone import lost\n")
    with pytest.raises(CannotStage, match=r"no module gateway\.gone"):
        import_closure(project)


def test_staging_follows_the_sources(project: Path) -> None:
    lock, folder = project / "requirements/runtime.lock", project / "build/worker"
    lock.parent.mkdir()
    lock.write_text("# Nothing to vendor, and so nothing to fetch.\n")
    data = project / "gateway/data/embedding.bin"
    data.parent.mkdir()
    data.write_bytes(b"what KV holds is not attached")
    assert len(stage(project, folder)) == 2
    assert stage(project, folder) == []
    assert "from edge.entry import Default" in (folder / "src/main.py").read_text()
    (project / "gateway/app.py").write_text("answer = 42\n")
    assert stage(project, folder) == ["4 modules written, 5 in all"]
    assert staged(folder) == [
        *("edge/__init__.py", "edge/entry.py", "gateway/__init__.py", "gateway/app.py", "main.py"),
    ]


def test_a_wheel_that_cannot_be_had_leaves_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock, stamp = tmp_path / "some.lock", tmp_path / "wheels.stamp"
    lock.write_text(f"nothing-of-that-name==1 --hash=sha256:{'0' * 64}\n")
    stamp.write_text("of another lock")
    with pytest.raises(CannotStage, match=r"some\.lock(?s:.*)nothing-of-that-name"):
        vendor(lock, tmp_path / "wheels", stamp)
    assert [path.name for path in tmp_path.iterdir()] == ["some.lock"]


def test_the_worker_imports_nothing_that_it_cannot_have() -> None:
    closure = import_closure(ROOT)
    assert set(closure.others) & FORBIDDEN == set()
    ours = {
        name for name in closure.modules if name.startswith(("gateway.adapters", "gateway.cli"))
    }
    names = (
        "memory",
        "memory_bank",
        "memory_budgets",
        "memory_cache",
        "memory_commands",
        "memory_conversations",
        "memory_deliveries",
        "memory_escalations",
        "memory_exports",
        "memory_figures",
        "memory_knowledge",
        "memory_learning",
        "memory_personalities",
        "memory_revocations",
        "memory_rows",
        "memory_subjects",
        "semantics",
    )
    assert ours == {"gateway.adapters", *(f"gateway.adapters.{name}" for name in names)}
    assert "gateway.services" not in closure.modules
    assert ENTRY in closure.modules


def test_the_declared_dependencies_are_exactly_what_the_worker_imports() -> None:
    imported, declared = third_party(import_closure(ROOT)), declared_with_their_own()
    assert imported - set().union(*declared.values()) == set()
    assert [line for line, names in declared.items() if not names & imported] == []


@pytest.mark.timeout(400)
def test_the_staged_modules_are_the_golden_ones() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").splitlines()
    assert staged(staged_worker()) == golden, (
        "if that is meant: .venv/bin/python -m scripts.stage_worker --list > tests/edge/modules.txt"
    )


@pytest.mark.timeout(400)
def test_staging_again_does_nothing() -> None:
    assert stage(ROOT, staged_worker()) == []
