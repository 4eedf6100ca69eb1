"""The board, the alerts and the page on operations name only figures that there are."""

import json
import re
from pathlib import Path

import pytest

from core.telemetry import METRICS

OPS = Path(__file__).resolve().parents[2] / "docs" / "ops"
NAMES = re.compile(r"\bfanlight_[a-z_]+")
SUFFIXES = ("_bucket", "_count", "_sum")
LABELS = re.compile(r"(fanlight_[a-z_]+)\{([^}]*)\}")


def plain(name: str) -> str:
    return next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml", "observability.md"])
def test_every_figure_that_is_named_exists(name: str) -> None:
    text = (OPS / name).read_text(encoding="utf-8")
    known = {metric.name for metric in METRICS}
    assert {plain(found) for found in NAMES.findall(text)} <= known


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml"])
def test_every_label_that_is_asked_for_exists(name: str) -> None:
    text = (OPS / name).read_text(encoding="utf-8").replace('\\"', '"')
    labels = {metric.name: set(metric.labels) for metric in METRICS}
    for figure, inner in LABELS.findall(text):
        asked = set(re.findall(r"(\w+)(?==~?\"|!=)", inner))
        assert asked <= labels[plain(figure)] | {"job"}, figure


def test_every_figure_is_explained_and_shown() -> None:
    page = (OPS / "observability.md").read_text(encoding="utf-8")
    board = (OPS / "grafana.json").read_text(encoding="utf-8")
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        assert f"| `{metric.name}` | {labels} |" in page
        assert metric.name in board


def test_the_board_is_whole() -> None:
    board = json.loads((OPS / "grafana.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])
