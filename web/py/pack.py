"""Makes the zip that Pyodide starts from: the standard library we need and our code, compiled.

Runs inside Pyodide, whose interpreter must be the one that later reads the bytecode. It decides
which modules are needed by following imports from what starts: Pyodide's own Python and our host.
An import inside a function counts in our code, but not in the standard library, where it serves
rare paths; the few of those that do matter are in ALSO. It refuses a module that does not compile.
"""

from __future__ import annotations

import ast
import marshal
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import MAGIC_NUMBER
from pathlib import Path

# What our own code starts from. Pyodide's start is not read but seen: it has just happened here.
ROOTS = ("host",)

# Needed, though no top-level import says so: codecs looked up by name, and what a traceback loads.
ALSO = (
    "encodings.aliases",
    "encodings.ascii",
    "encodings.cp437",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_8",
    "encodings.utf_8_sig",
    "stringprep",
    "site",
    "sysconfig",
    "zipimport",
    "traceback",
    "_colorize",
    "_strptime",
    "_pydatetime",
    "warnings",
)

# Never in a visitor's browser, whoever imports them. A package's name stands for all of it.
DROP = frozenset(
    (
        "_pyrepl",
        "ctypes",
        "curses",
        "doctest",
        "email",
        "ensurepip",
        "http",
        "idlelib",
        "lib2to3",
        "multiprocessing",
        "pdb",
        "pip",
        "pydoc",
        "pydoc_data",
        "sqlite3",
        "ssl",
        "test",
        "tkinter",
        "turtledemo",
        "unittest",
        "venv",
        "wsgiref",
        "xml",
        "xmlrpc",
        "asyncio.proactor_events",
        "asyncio.windows_events",
        "asyncio.windows_utils",
        "encodings._win_cp_codecs",
    )
)

# PEP 552: validated by a hash of the source, which is not to be checked.
UNCHECKED = (1).to_bytes(4, "little")

FIXED_TIME = (1980, 1, 1, 0, 0, 0)


class Tree:
    """Sources by module name: the stock library, with our own packages over it."""

    def __init__(self, stock: zipfile.ZipFile, ours: dict[str, bytes]) -> None:
        self._ours = ours
        self._stock = stock
        self._paths: dict[str, str] = {}
        for path in (*stock.namelist(), *ours):
            if path.endswith(".py"):
                name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
                self._paths[name] = path

    def __contains__(self, name: str) -> bool:
        return name in self._paths and name not in DROP and name.partition(".")[0] not in DROP

    def path(self, name: str) -> str:
        """Where the module lies in the zip."""
        return self._paths[name]

    def is_ours(self, name: str) -> bool:
        """Whether the module is one of our own."""
        return self._paths[name] in self._ours

    def source(self, name: str) -> bytes:
        """The module's text."""
        path = self._paths[name]
        return self._ours[path] if path in self._ours else self._stock.read(path)


def imported(module: ast.Module, name: str, is_package: bool, *, lazily: bool) -> Iterator[str]:
    """Absolute names that ``module`` imports; with ``lazily``, inside its functions too."""
    pending: list[ast.AST] = list(module.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, name, is_package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
        elif lazily or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(node))


def _absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join((*parts, node.module) if node.module else parts)


def closure(tree: Tree) -> list[str]:
    """Every module that is loaded here or reached from ROOTS and ALSO, in name order."""
    found: set[str] = set()
    pending = [*sys.modules, *ROOTS, *ALSO]
    while pending:
        name = pending.pop()
        if name in found or name not in tree:
            continue
        found.add(name)
        if "." in name:
            pending.append(name.rpartition(".")[0])
        is_package = tree.path(name).endswith("/__init__.py")
        parsed = ast.parse(tree.source(name))
        pending.extend(imported(parsed, name, is_package, lazily=tree.is_ours(name)))
    return sorted(found)


def compiled(source: bytes, path: str) -> bytes:
    """A ``.pyc`` that is never checked against a source: there is none beside it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.decorator_list:
            _document(node)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=2)
    return MAGIC_NUMBER + UNCHECKED + bytes(8) + marshal.dumps(code)


def _document(node: ast.ClassDef) -> None:
    """Give a decorated class a text that optimising leaves.

    Of a class without one, a data class works out its signature to have one, which takes longer
    than the rest of the class together where Python has just started.
    """
    if ast.get_docstring(node, clean=False):
        text = ast.Assign([ast.Name("__doc__", ast.Store())], ast.Constant(node.name))
        node.body.insert(1, ast.copy_location(text, node))
        ast.fix_missing_locations(node)


def pack(stock: str, ours: str, made: str) -> None:
    """Writes the zip ``made`` from the stock library's zip and the folder of our own packages.

    Stored, not deflated: it travels under brotli, and starts without inflating.
    """
    root = Path(ours)
    files = [path for path in root.rglob("*") if path.is_file()]
    own = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    with zipfile.ZipFile(stock) as library, zipfile.ZipFile(made, "w") as target:
        tree = Tree(library, own)
        for name in closure(tree):
            path = tree.path(name)
            code = compiled(tree.source(name), path)
            target.writestr(zipfile.ZipInfo(f"{path}c", FIXED_TIME), code)
        for path, data in sorted(own.items()):
            if not path.endswith(".py"):
                target.writestr(zipfile.ZipInfo(path, FIXED_TIME), data)
