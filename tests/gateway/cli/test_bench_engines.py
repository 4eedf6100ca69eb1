"""`fanlight bench engines`: what it refuses to begin without, and which figures miss a goal."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.bench import bench_group
from gateway.cli.bench.engines import missed_goals
from gateway.cli.bench.host import ENCODER, _offering

GOOD = {
    "speed_ratio": 0.99,
    "hash_100_mb_s": 0.2,
    "second_load_requests": 0,
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
