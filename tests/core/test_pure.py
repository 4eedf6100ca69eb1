"""`kb` and `core` run in a browser and at the edge too.

So they import the standard library alone, and do nothing while they are imported.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_IMPORT = {"kb": {"kb"}, "core": {"core", "kb"}}
MODULES = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]
# Doors to the disk, the network, other processes, threads, the clock and chance. `random` is not
# among them: the index is built with a seed.
IMPURE = {
    *("asyncio", "concurrent", "ctypes", "http", "logging", "multiprocessing", "os", "pathlib"),
    *("pickle", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl"),
    *("subprocess", "tempfile", "threading", "time", "urllib.request"),
}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_the_standard_library_is_imported(path: Path) -> None:
    allowed = sys.stdlib_module_names | MAY_IMPORT[path.relative_to(ROOT).parts[0]]
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    assert {name for name in names if name.partition(".")[0] not in allowed} == set()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_that_reaches_outside_is_imported(path: Path) -> None:
    names = set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    assert {name for name in names if {name, name.partition(".")[0]} & IMPURE} == set()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_opens_a_file_prints_or_runs_text(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called & {"open", "print", "input", "eval", "exec", "__import__"} == set()


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[-2] == "core"], ids=relative)
def test_core_does_no_work_of_note_at_import(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = (
        *(ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef),
        ast.Expr,
    )
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue  # never run
        assert isinstance(node, allowed), f"line {node.lineno}"
        if isinstance(node, ast.Expr):
            assert isinstance(node.value, ast.Constant), f"line {node.lineno} is no docstring"


WATCHED = """
import sys
events = []
REACHES = ("socket", "subprocess", "os.system", "os.mkdir", "os.remove", "os.rename")
def hook(event, arguments):
    if event.startswith(REACHES):
        events.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        events.append(f"{event} {arguments[0]}")
    if event == "_thread.start_new_thread":
        events.append(event)
sys.dont_write_bytecode = True
sys.addaudithook(hook)
before = set(sys.modules)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
foreign = {name.partition(".")[0] for name in set(sys.modules) - before}
foreign -= sys.stdlib_module_names | {"kb", "core"}
print(sorted(events), sorted(foreign))
"""


def test_importing_everything_writes_connects_and_starts_nothing() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
    ]
    # -S: without the folder of installed packages there is nothing else to import.
    run = subprocess.run(
        [sys.executable, "-S", "-c", WATCHED, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout.strip(), run.stderr) == ("[] []", "")
