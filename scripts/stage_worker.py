"""Stages the Python Worker: what its entry imports of our packages, and the wheels it vendors.

Decides what is attached to a deployment: in `src` the modules that `edge/entry.py` reaches by
import statements, and a main module beside them (wrangler attaches the folder that this is in); in
`python_modules` the project's dependencies as locked, built for the platform's interpreter.
Wrangler looks for that folder beside its configuration, and refuses one beside the main module.
Refuses an import of ours that does not exist, and a wheel whose hash is not the lock's. Does
nothing when nothing changed.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("edge", "gateway", "core", "kb")
ENTRY: Final = "edge.entry"
PLATFORM_MODULES: Final = frozenset({"js", "pyodide", "workers"})
"""What the platform itself brings, so that nothing has to be vendored for it."""

INTERPRETER: Final = (
    *("--platform", "pyemscripten_2026_0_wasm32"),
    *("--python-version", "314", "--implementation", "cp", "--abi", "cp314"),
)
DOWNLOAD_SECONDS: Final = 300
MAIN: Final = '''\
"""The Worker's main module; made by scripts/stage_worker.py."""

from edge.entry import Default

__all__ = ["Default"]
'''


class CannotStage(Exception):
    """Staging stopped; the message says what to do."""


@dataclass
class Closure:
    """Our modules by name with their files, and whose names outside of ours they import."""

    modules: dict[str, Path] = field(default_factory=dict)
    others: dict[str, set[str]] = field(default_factory=dict)


def import_closure(root: Path, entry: str = ENTRY) -> Closure:
    """Follow every import that can run, from the entry on; raises `CannotStage`."""
    found = Closure()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found.modules:
            continue
        path = _file_of(root, name)
        if path is None:
            raise CannotStage(f"there is no module {name} in {', '.join(PACKAGES)}")
        found.modules[name] = path
        waiting.extend(_parents(name))
        for imported, must_be_module in _imports(name, path):
            top = imported.partition(".")[0]
            if top not in PACKAGES:
                found.others.setdefault(top, set()).add(name)
            elif must_be_module or _file_of(root, imported):
                waiting.append(imported)
    return found


def third_party(closure: Closure) -> set[str]:
    """The top-level names that neither we, nor Python, nor the platform bring."""
    return set(closure.others) - sys.stdlib_module_names - PLATFORM_MODULES


def _file_of(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    paths = (base / "__init__.py", base.with_name(f"{base.name}.py"))
    return next((path for path in paths if path.is_file()), None)


def _parents(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _imports(name: str, path: Path) -> Iterator[tuple[str, bool]]:
    """What a file imports; whether it must be a module, or may be an attribute of one."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _run_nodes(ast.parse(path.read_text(encoding="utf-8"), path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(relative, package)
            yield source, True
            yield from ((f"{source}.{alias.name}", False) for alias in node.names)


def _run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from _run_nodes(child)


def stage(root: Path, folder: Path) -> list[str]:
    """Stage the Worker into `folder`; what changed, as lines. Raises `CannotStage`."""
    modules = import_closure(root).modules
    wanted = {path.relative_to(root).as_posix(): path.read_bytes() for path in modules.values()}
    wanted["main.py"] = MAIN.encode()
    changed = _write(wanted, folder / "src")
    stamp = folder.with_name(f"{folder.name}.stamp")
    fetched = vendor(root / "requirements/runtime.lock", folder / "python_modules", stamp)
    return [f"{changed} modules written, {len(wanted)} in all"] * bool(changed) + fetched


def staged(folder: Path) -> list[str]:
    """What a deployment would hold: our modules by path, and each vendored top-level name."""
    source, vendored = folder / "src", folder / "python_modules"
    ours = (path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    names = (path.name for path in vendored.iterdir() if not path.name.endswith(".dist-info"))
    return [*sorted(ours), *(f"{vendored.name}/{name}" for name in sorted(names))]


def _write(wanted: Mapping[str, bytes], folder: Path) -> int:
    """Make the folder hold exactly these files; how many were written or removed."""
    changed = 0
    for path in [*folder.rglob("*")]:
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
            changed += 1
    for name, data in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            changed += 1
    return changed


def vendor(lock: Path, folder: Path, stamp: Path) -> list[str]:
    """Unpack a lock's wheels into `folder`; what was done, as lines. Raises `CannotStage`.

    `stamp` says what lies there; it is kept outside of the folder, so that it is not attached.
    """
    state = hashlib.sha256(repr(INTERPRETER).encode() + lock.read_bytes()).hexdigest()
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == state:
        return []
    stamp.unlink(missing_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=stamp.parent) as scratch:
        _download(lock, Path(scratch, "wheels"))
        wheels = sorted(Path(scratch, "wheels").glob("*.whl"))
        unpacked = Path(scratch, "unpacked")
        unpacked.mkdir()
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)
    stamp.write_text(state)
    return [f"{len(wheels)} wheels of {lock.name} unpacked into {folder.name}"]


def _download(lock: Path, folder: Path) -> None:
    say(f"fetching the wheels of {lock.name}")
    command = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", *INTERPRETER, "--no-input", "--quiet"),
        *("--disable-pip-version-check", "--progress-bar=off"),
        *("--requirement", str(lock), "--dest", str(folder)),
    )
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as exc:
        raise CannotStage(
            f"pip took over {DOWNLOAD_SECONDS} s; see the network, then retry"
        ) from exc
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise CannotStage(
            f"pip could not fetch the wheels of {lock.name}:\n{said}\n"
            "Run this with the interpreter of `make setup`, and with a network."
        )


def say(line: str) -> None:
    """Tell one line of progress, beside what `--list` prints."""
    print(f"worker: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Stage into build/worker; 0 when that is done."""
    parser = argparse.ArgumentParser(prog="stage_worker", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print what is staged, a line each")
    options = parser.parse_args()
    folder = ROOT / "build" / "worker"
    try:
        lines = stage(ROOT, folder)
    except CannotStage as error:
        say(str(error))
        return 1
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    for line in lines or ["nothing changed"]:
        say(line)
    say(f"{folder.relative_to(ROOT)} holds {size / 1024:,.0f} KiB")
    if options.list:
        print("\n".join(staged(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
