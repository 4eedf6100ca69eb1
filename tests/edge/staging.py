"""The staged Worker, and Node to run it in: what the tests under Pyodide share."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from scripts.stage_worker import ROOT, stage, vendor

NODE_SECONDS = 180
BUILD = ROOT / "build"


@cache
def staged_worker() -> Path:
    """The folder that would be deployed."""
    stage(ROOT, BUILD / "worker")
    return BUILD / "worker"


@cache
def platform_sdk() -> Path:
    """The platform's own SDK, which is not deployed."""
    lock = ROOT / "requirements/worker.lock"
    vendor(lock, BUILD / "worker-sdk", BUILD / "worker-sdk.stamp")
    return BUILD / "worker-sdk"


def run_node(node: Path, script: str, told: dict[str, Any]) -> dict[str, Any]:
    """Run a script of this folder; the JSON object that it prints."""
    done = subprocess.run(
        [node, ROOT / "tests/edge" / script, json.dumps(told)],
        capture_output=True,
        text=True,
        timeout=NODE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed
