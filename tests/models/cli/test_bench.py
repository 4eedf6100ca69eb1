"""`fanlight models bench`, with a tiny model: its figures mean nothing, and are all there."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.cli import bench
from models.cli.commands import models_group
from models.engines.speed import measure_jax
from models.registry.registry import Registry
from tests.models.decoder import tiny
from tests.models.samples import entry, file_entry, known

LENGTH = "llama.context_length"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    longer = {LENGTH: tiny.number(LENGTH, 2_048)}
    data = tiny.gguf_file(tmp_path / "origin", tiny.weights(), keys=longer).read_bytes()
    path = tmp_path / "catalog.toml"
    path.write_text(entry(files=file_entry(**known(data))), encoding="utf-8")
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(tmp_path / "kept"))
    return path


def run(catalog: Path, *arguments: str) -> Result:
    return CliRunner().invoke(models_group, [*arguments, "--catalog", str(catalog)])


@pytest.mark.needs("jax")
def test_every_engine_is_measured_in_a_process_of_its_own(catalog: Path) -> None:
    assert run(catalog, "pull", "small").exit_code == 0
    result = run(catalog, "bench", "small", "--tokens", "4", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["engines"]
    assert set(found) == {"llama.cpp", "jax float32", "jax bfloat16"}
    for figures in found.values():
        assert figures["prefill_tps"] > 0
        assert figures["decode_tps"] > 0
        assert figures["peak_mb"] > 10
    assert found["jax bfloat16"]["adapters_8"] > 0
    assert found["llama.cpp"]["served_first_token_ms"] > 0
    assert isinstance(found["llama.cpp"]["server_added_ms"], float)


def test_an_encoder_is_measured_in_its_own_engine(
    small_encoders: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(small_encoders.shelf.folder))
    result = run(tmp_path / "catalog.toml", "bench", "small", "--json")
    assert result.exit_code == 0, result.output
    (figures,) = json.loads(result.stdout)["engines"].values()
    assert {"short_ms", "short_cpu_ms", "full_context_ms", "texts_per_s"} < set(figures)
    assert figures["texts_per_s"] > 0


@pytest.mark.needs("jax")
def test_the_figures_of_adapters_are_shares_of_the_same_batch(tmp_path: Path) -> None:
    path = tiny.gguf_file(tmp_path / "tiny.gguf", tiny.weights())
    figures = measure_jax(path, "llama", "auto", 4)
    assert figures["kind"] in {"float32", "bfloat16"}
    assert {"batch_tps", "adapters_1", "adapters_4", "adapters_8"} <= set(figures)


def test_a_model_that_an_engine_refuses_ends_with_its_reason(catalog: Path) -> None:
    said = catalog.read_text(encoding="utf-8").replace('"llama"', '"gemma"')
    catalog.write_text(said, encoding="utf-8")
    assert run(catalog, "pull", "small").exit_code == 0
    result = run(catalog, "bench", "small")
    assert result.exit_code == 1
    assert "a llama model, where the catalogue says gemma" in result.stderr


def test_what_is_not_here_and_what_is_not_installed_is_said(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(catalog, "bench", "small", "--json")
    assert result.exit_code == 1
    assert "fanlight models pull small" in json.loads(result.stdout)["detail"]
    run(catalog, "pull", "small")
    monkeypatch.setattr(bench, "find_spec", lambda name: find_spec(f"missing_{name}"))
    assert 'pip install "fanlight[server,engines,jax]"' in run(catalog, "bench", "small").stderr
