import ast
import subprocess
import sys
from pathlib import Path

import kb


def test_the_public_names_are_those_that_are_exported() -> None:
    module = ast.parse(Path(kb.__file__).read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kb.")
        for alias in node.names
    }
    assert set(kb.__all__) == imported
    assert list(kb.__all__) == sorted(kb.__all__)
    assert all(getattr(kb, name) is not None for name in kb.__all__)
    assert not hasattr(kb, "nothing_of_the_kind")


def test_searching_imports_neither_readers_nor_the_builder() -> None:
    code = "import sys, kb, kb.search; print([m for m in sys.modules if m.startswith('kb')])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    for name in ("kb.build", "kb.simulate", "kb.readers"):
        assert name not in result.stdout


def test_only_the_standard_library_is_imported() -> None:
    for path in Path(kb.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "kb"}, f"{path}: {name}"
