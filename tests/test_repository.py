"""The promises that the repository makes about itself: what its pages name exists, its locks are
portable, its public faces are declared, and its modules stay small."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import tomllib
from collections import Counter
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
MODULES = sorted(
    path
    for package in ("kb", "core", "gateway", "edge", "models", "scripts")
    for path in (ROOT / package).rglob("*.py")
)
FACES = sorted(
    path
    for package in ("kb", "core", "gateway")
    for path in (ROOT / package).rglob("__init__.py")
    if path.parent.parent == ROOT or "__all__" in path.read_text(encoding="utf-8")
)
MOST_MODULE_LINES = 400
MOST_FUNCTION_LINES = 50

PATH_IN_PAGE = re.compile(
    r"(?<![\w./-])(?:kb|core|gateway|edge|models|web|tests|scripts|docs)/[\w./-]*"
)
# Folders that exist on one machine only: homes, and local stores of packages.
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:root/|home/\w+/|Users/\w+/|work/(?:main|shared)|opt/(?:wheels|pypi))"
)
TEXT_SUFFIXES = {
    *(".py", ".ts", ".tsx", ".mjs", ".js", ".json", ".toml", ".md", ".css", ".html"),
    *(".svg", ".txt", ".csv", ".jsonl", ".yaml", ".yml", ".lock", ".webmanifest", ""),
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def locked(path: Path) -> dict[str, Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = (Requirement(line.rstrip("\\ ")) for line in lines if re.match(r"[a-z0-9]", line))
    return {canonicalize_name(pin.name): pin for pin in pins}


def section(page: str, title: str) -> str:
    """Gives what stands under a heading, up to the next one of its level."""
    found = re.search(rf"^(#+) {re.escape(title)}\s*$", page, re.MULTILINE | re.IGNORECASE)
    assert found, f"the README has no heading {title!r}"
    rest = page[found.end() :]
    following = re.search(rf"^{found[1]} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def kept_files() -> list[Path]:
    """Gives the files that are, or would be, committed."""
    if not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix in TEXT_SUFFIXES]


def test_every_path_in_the_life_of_a_question_exists() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {
        path.rstrip("./") for path in PATH_IN_PAGE.findall(section(page, "Life of a question"))
    }
    assert len(named) >= 5
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    guilty = [
        f"{relative(path)}: {found[0]}"
        for path in kept_files()
        if (found := MACHINE_PATH.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert guilty == []


@pytest.mark.parametrize("path", LOCKS, ids=relative)
def test_python_locks_hold_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|@ file", text) == []


@pytest.mark.parametrize("path", LOCKS, ids=relative)
def test_every_locked_package_is_pinned_with_a_hash(path: Path) -> None:
    blocks = re.split(r"(?<!\\)\n", path.read_text(encoding="utf-8").strip())
    assert [b for b in blocks if "==" not in b or "--hash=sha256:" not in b] == []


def test_the_web_lock_holds_no_address() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_the_web_lock_serves_every_platform() -> None:
    lock = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    held = {name.rpartition("node_modules/")[2] for name in packages}
    wanted = {
        name for package in packages.values() for name in package.get("optionalDependencies", ())
    }
    assert sorted(wanted - held) == []


def test_the_locks_satisfy_the_project_file() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    extras = project["optional-dependencies"]
    server = project["dependencies"] + extras["server"]
    wanted = {
        "runtime.lock": project["dependencies"],
        "server.lock": server,
        "dev.lock": server + extras["engines"] + extras["jax"] + groups["dev"],
        "lock.lock": groups["lock"],
        "worker.lock": groups["worker"],
    }
    assert {path.name for path in LOCKS} == set(wanted)
    stale = []
    for name, requirements in wanted.items():
        pins = locked(ROOT / "requirements" / name)
        for requirement in map(Requirement, requirements):
            pin = pins.get(canonicalize_name(requirement.name))
            version = str(pin.specifier).removeprefix("==") if pin else ""
            if not pin or not requirement.specifier.contains(version):
                stale.append(f"{name}: {requirement}")
    assert stale == [], "run `make lock`"


def test_a_smaller_lock_agrees_with_the_larger_one() -> None:
    runtime, server, dev = (
        locked(ROOT / "requirements" / f"{name}.lock") for name in ("runtime", "server", "dev")
    )
    assert {name: str(pin) for name, pin in runtime.items()}.items() <= {
        name: str(pin) for name, pin in server.items()
    }.items()
    assert {name: str(pin) for name, pin in server.items()}.items() <= {
        name: str(pin) for name, pin in dev.items()
    }.items()


@pytest.mark.parametrize("path", FACES, ids=relative)
def test_public_exports_equal_all(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(ROOT).parent.parts))
    exported = set(getattr(module, "__all__", ()))
    assert all(hasattr(module, name) for name in exported)  # some are imported on first use
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public <= exported


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long_functions = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_FUNCTION_LINES
    ]
    assert long_functions == []
    assert len(text.splitlines()) <= MOST_MODULE_LINES


def test_decisions_are_numbered_once_and_without_a_gap() -> None:
    names = [path.name for path in (ROOT / "docs/adr").glob("*.md") if path.name != "README.md"]
    matches = [re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", name) for name in names]
    assert [name for name, match in zip(names, matches, strict=True) if not match] == []
    numbers = Counter(int(match[1]) for match in matches if match)
    assert numbers == Counter(range(1, len(names) + 1))


def test_every_subcommand_loads() -> None:
    commands = metadata.entry_points(group="fanlight.commands")
    declared = PROJECT["project"]["entry-points"]["fanlight.commands"]
    assert {command.name for command in commands} == set(declared), "run `make setup`"
    assert [command.name for command in commands if not callable(command.load())] == []


def test_python_and_web_packages_share_one_version() -> None:
    web = json.loads((ROOT / "web/package.json").read_text(encoding="utf-8"))
    assert web["version"] == PROJECT["project"]["version"]


def test_the_loader_of_every_release_is_kept() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = set(re.findall(r"^## \[?(\d[\w.-]*)", changes, re.MULTILINE))
    assert released == {path.stem for path in (ROOT / "web/loaders").glob("*.js")}


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    assert set(re.findall(r"'make ([a-z-]+) ", text)) == targets - {"help"}
