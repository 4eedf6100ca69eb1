"""`fanlight bench engines`: what it refuses to begin without, and which figures miss a goal."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli.bench import bench_group
from gateway.cli.bench.engine_return import percentile, received
from gateway.cli.bench.engine_visit import compared
from gateway.cli.bench.engines import LIBRARY, _webllm, missed_goals
from gateway.cli.bench.host import ENCODER, _offering

GOOD = {
    "speed_ratio": 0.99,
    "first_ratio": 1.02,
    "hash_100_mb_s": 0.2,
    "second_load_requests": 0,
    "second_load_bytes": 0,
    "frame_p95_ms": 5,
    "embed_ms": 20,
}


def test_a_model_that_was_not_published_is_told_with_its_remedy(tmp_path: Path) -> None:
    done = CliRunner().invoke(bench_group, ["engines", "--published", str(tmp_path)])
    assert done.exit_code == 1
    assert "fanlight models publish smollm2-135m" in done.output


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({}, []),
        ({"speed_ratio": 0.9}, ["speed_ratio"]),
        ({"first_ratio": 0.83}, ["first_ratio"]),
        ({"second_load_bytes": 10_746}, ["second_load_bytes"]),
        ({"frame_p95_ms": 18.9}, ["frame_p95_ms"]),
        ({"embed_ms": 31}, ["embed_ms"]),
        # What was never measured reaches nothing.
        ({"speed_ratio": float("nan")}, ["speed_ratio"]),
        (
            {"hash_100_mb_s": 0.6, "second_load_requests": 1},
            ["hash_100_mb_s", "second_load_requests"],
        ),
    ],
)
def test_figures_are_held_to_their_goals(change: dict[str, float], missed: list[str]) -> None:
    assert missed_goals({**GOOD, **change}) == missed


def test_the_gateway_that_is_measured_offers_the_model(tmp_path: Path) -> None:
    settings = _offering(1, 2, tmp_path, "small")
    assert 'local_models = ["small"]' in settings
    assert f'models_dir = "{tmp_path}"' in settings
    assert "encoder" not in settings


def test_it_offers_the_encoder_where_that_was_published(tmp_path: Path) -> None:
    (tmp_path / f"{ENCODER}.json").write_text("{}", encoding="utf-8")
    assert f'encoder = "{ENCODER}"' in _offering(1, 2, tmp_path, "small")


def test_webllm_is_held_to_goals_only_where_it_was_measured() -> None:
    taken = {"webllm_speed_ratio": 0.9, "webllm_first_ratio": 1.0}
    assert missed_goals({**GOOD, **taken}) == ["webllm_speed_ratio"]


def test_without_a_library_webllm_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIBRARY, raising=False)
    assert _webllm("small", 1, 4, None, lambda _text, _share: None) == {}
    monkeypatch.setenv(LIBRARY, "/nowhere/library.wasm")
    with pytest.raises(click.ClickException, match=f"{LIBRARY} names /nowhere/library.wasm"):
        _webllm("small", 1, 4, None, lambda _text, _share: None)


def test_bytes_from_the_network_are_those_of_every_socket(tmp_path: Path) -> None:
    log = tmp_path / "network.json"
    kinds = {"SOCKET_BYTES_RECEIVED": 1, "UDP_BYTES_RECEIVED": 2, "SOCKET_BYTES_SENT": 3}
    events = [{"type": kind, "params": {"byte_count": 100}} for kind in (1, 1, 2, 3)]
    document = {"constants": {"logEventTypes": kinds}, "events": [*events, {"type": 1}]}
    log.write_text(json.dumps(document), encoding="utf-8")
    assert received(log) == 300


def test_ratios_are_above_one_where_ours_is_the_better() -> None:
    ours = [{"speed": 9.0, "first": 1.0}, {"speed": 11.0, "first": 3.0}]
    bare = [{"speed": 5.0, "first": 4.0}, {"speed": 5.0, "first": 4.0}]
    told = compared(ours, bare)
    assert (told["speed_ratio"], told["first_ratio"]) == (2.0, 2.0)
    assert percentile([float(n) for n in range(100)], 0.95) == 95
    assert percentile([7.0], 0.95) == 7
