"""Where a machine cannot have JAX, what needs it is skipped by name, and the rest is collected."""

import subprocess
import sys
from pathlib import Path

# Found by nothing: neither by an import nor by whoever asks first.
WITHOUT = """
import importlib.abc, importlib.util, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jax":
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Without())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "jax" else find(name, package)
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def test_a_module_that_imports_jax_is_skipped_with_the_reason(root: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT, "--collect-only", "-q", "-rs", "-p", "no:cacheprovider",
         "tests/models/decoder/test_decoder.py", "tests/models/decoder/test_writing.py"],
        cwd=root, capture_output=True, text=True, timeout=120, check=False, env={"CI": ""},
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    assert "no JAX for this machine" in told.stdout
    assert "test_writing.py" in told.stdout
    assert "test_decoder.py::" not in told.stdout
