"""The browser's own Python decides as the server's does."""

import json
from pathlib import Path

import pytest

from scripts.stage_worker import ROOT
from tests.core import device_cases, route_cases
from tests.edge.staging import run_node

pytestmark = pytest.mark.needs("node")


def test_routes_prompts_and_confidences_are_the_same_in_pyodide(node_path: Path) -> None:
    modules = {"route_cases": route_cases, "device_cases": device_cases}
    told = run_node(node_path, "run_pure.mjs", {"root": str(ROOT), "modules": list(modules)})
    for name, module in modules.items():
        assert told[name] == json.loads(module.outcomes_json()), name
