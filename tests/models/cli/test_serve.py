"""What `fanlight models serve` refuses before it listens."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.cli.commands import models_group
from models.cli.serve import ENGINES
from tests.models.samples import WORDS, entry, file_entry, known

NEEDED = {"jax": [pytest.mark.needs("jax")]}


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "origin").write_bytes(WORDS)
    path = tmp_path / "catalog.toml"
    files = file_entry(**known())
    embedding = '{ tokenizer = "model.gguf", dimensions = 32 }'
    encoder = entry(model="encoder", kind='"embed"', embedding=embedding, files=files)
    entries = [entry(files=files), encoder]
    path.write_text("\n".join(entries), encoding="utf-8")
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(tmp_path / "kept"))
    return path


def refused(catalog: Path, *arguments: str, status: int = 1) -> Result:
    result = CliRunner().invoke(models_group, ["serve", *arguments, "--catalog", str(catalog)])
    assert result.exit_code == status, result.output
    return result


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "No chat model is in"),
        (("small",), "small 1 is not here. Bring it with `fanlight models pull small`"),
        (("encoder",), "no chat model: it embeds text. Serve it with `--embed encoder`"),
        (("--embed", "small"), "small is no encoder: it is for chat"),
        (("--embed", "encoder"), "encoder 1 is not here. Bring it with"),
        (("large",), "There is no model large"),
    ],
)
def test_what_cannot_be_served_is_said(
    catalog: Path, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(catalog, *arguments).stderr
    told = json.loads(refused(catalog, *arguments, "--json").stdout)
    assert told["running"] is False
    assert reason in told["detail"]


def test_others_on_the_network_need_a_key(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = refused(catalog, "--host", "192.0.2.1", status=2)
    assert "FANLIGHT_MODELS_KEY" in without.stderr
    monkeypatch.setenv("FANLIGHT_MODELS_KEY", "short")
    assert "too short" in refused(catalog, status=2).stderr
    monkeypatch.setenv("FANLIGHT_MODELS_KEY", "a-key-that-is-long-enough")
    assert "No chat model" in refused(catalog, "--host", "192.0.2.1").stderr


def test_a_port_that_is_taken_is_said(catalog: Path) -> None:
    CliRunner().invoke(models_group, ["pull", "small", "--catalog", str(catalog)])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "is in use. Choose another with --port" in refused(catalog, "--port", port).stderr


@pytest.mark.parametrize(
    "engine", [pytest.param(each, marks=NEEDED.get(each, ())) for each in ENGINES]
)
def test_a_model_that_cannot_be_loaded_ends_a_warm_start(catalog: Path, engine: str) -> None:
    CliRunner().invoke(models_group, ["pull", "small", "--catalog", str(catalog)])
    said = refused(catalog, "--engine", engine, "--warm", "--port", "0").stderr
    assert "model.gguf is not a GGUF file that can be loaded" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("small", "--adapter", "a=b"), "--adapter needs --engine jax"),
        (("--engine", "jax", "--adapter", "a=b"), "the one MODEL"),
        (("small", "--engine", "jax", "--adapter", "a"), "'a' is not ID=FILE"),
        (("small", "--engine", "jax", "--adapter", "a=b", "--adapter", "a=c"), "a comes twice"),
    ],
)
def test_adapters_are_given_as_they_can_be_served(
    catalog: Path, arguments: tuple[str, ...], reason: str
) -> None:
    assert reason in refused(catalog, *arguments, status=2).stderr
    assert "not here" in refused(catalog, "small", "--engine", "jax", "--adapter", "a=b").stderr


@pytest.mark.parametrize("size", ["4", "0M", "many", "-1G", "4GiB"])
def test_what_models_may_take_is_a_size(catalog: Path, size: str) -> None:
    assert "is no size such as 4G or 800M" in refused(catalog, "--memory", size, status=2).stderr
    assert "No chat model" in refused(catalog, "--memory", "1.5G").stderr
