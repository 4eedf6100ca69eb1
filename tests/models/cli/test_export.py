"""`fanlight models export` as people type it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from models.cli.commands import models_group
from models.decoder.adapter import gguf_adapter
from models.export.base import open_base
from tests.models.decoder import tiny
from tests.models.export import webllm
from tests.models.export.templates import CHATML
from tests.models.samples import entry, file_entry, known, sha256


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue with the tiny model as `small`, which is here, and `other`, which is not."""
    origin = tiny.gguf_file(tmp_path / "origin", tiny.weights(), keys=CHATML)
    files = file_entry(**known(origin.read_bytes()))
    path = tmp_path / "catalog.toml"
    path.write_text("\n".join([entry(files=files), entry(model="other", files=files)]), "utf-8")
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(tmp_path / "kept"))
    assert (
        CliRunner().invoke(models_group, ["pull", "small", "--catalog", str(path)]).exit_code == 0
    )
    return path


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return tiny.adapter_file(tmp_path / "lora.gguf", tiny.random_adapter(1), alpha=8)


def run(catalog: Path, *arguments: object, status: int = 0) -> Result:
    words = ["export", *map(str, arguments), "--catalog", str(catalog)]
    result = CliRunner().invoke(models_group, words)
    assert result.exit_code == status, result.output
    return result


def told(catalog: Path, *arguments: object, status: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(catalog, *arguments, "--json", status=status).stdout)
    return found


def test_merged_weights_are_written_with_their_hash(
    catalog: Path, lora: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.gguf"
    found = told(catalog, "gguf", "small", target, "--adapter", f"{lora}=0.5", "--type", "f32")
    data = target.read_bytes()
    assert found == {
        "file": str(target),
        "bytes": len(data),
        "sha256": sha256(data),
        "type": "f32",
        "base": "small",
        "adapters": [{"file": str(lora), "weight": 0.5}],
    }
    # A path is a base too; and a second export of the same is the same.
    more = ("--adapter", f"{lora}=0.5", "--type", "f32", "--force")
    text = run(catalog, "gguf", tmp_path / "origin", target, *more)
    assert sha256(target.read_bytes()) in text.stdout
    assert target.read_bytes() == data


def test_a_folder_for_webllm_is_written_with_every_files_hash(
    catalog: Path, lora: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    found = told(catalog, "mlc", "small", target, "--adapter", lora, "--quantization", "q4f32_1")
    assert [Path(each["file"]).name for each in found["files"]] == [
        "mlc-chat-config.json",
        "params_shard_0.bin",
        "tensor-cache.json",
        "tokenizer.json",
    ]
    for each in found["files"]:
        assert each["sha256"] == sha256(Path(each["file"]).read_bytes())
    assert (found["quantization"], found["context"]) == ("q4f32_1", 128)
    assert "model.layers.1.mlp.gate_up_proj.q_weight" in webllm.read_parameters(target)
    assert "4 files" in run(catalog, "mlc", "small", target, "--force").stdout


def test_an_adapter_is_written_for_its_base(catalog: Path, lora: Path, tmp_path: Path) -> None:
    target = tmp_path / "again.gguf"
    found = told(catalog, "adapter", lora, target, "--base", "small")
    assert (found["rank"], found["type"], found["base"]) == (4, "f32", "small")
    shape = open_base(tmp_path / "kept" / "small" / "1" / "model.gguf").tensors.shape
    assert gguf_adapter(target, shape).rank == 4
    assert run(catalog, "adapter", lora, tmp_path / "x", "--base", "small", "--type", "f16").stdout


def narrow(path: Path) -> Path:
    parts = {"model.layers.0.self_attn.v_proj.weight": tiny.random_adapter(1, rank=2).popitem()[1]}
    return tiny.adapter_file(path, parts, alpha=8)


def test_what_cannot_be_is_refused_before_anything_is_written(
    catalog: Path, lora: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    other = narrow(tmp_path / "narrow.gguf")
    cases = [
        (["gguf", "none", target], "There is no model none"),
        (["gguf", "other", target], "fanlight models pull other"),
        (["gguf", tmp_path / "no.gguf", target], "cannot be read"),
        (["gguf", "small", tmp_path / "no" / "out"], "is no folder"),
        (["gguf", "small", lora], "is there already"),
        (["mlc", "small", tmp_path, "--force"], "no earlier export"),
        (["gguf", "small", target, "--adapter", tmp_path / "no.gguf"], "cannot be read"),
        (["gguf", "small", target, "--adapter", other], "is an adapter of another model"),
        (["gguf", "small", target, "--adapter", tmp_path / "kept"], "cannot be read"),
        (["mlc", "small", target, "--context", "4096"], "a context of 128 tokens"),
        (["mlc", "small", target, "--library", tmp_path / "l.wasm"], "mlc_llm is not installed"),
    ]
    for arguments, reason in cases:
        assert reason in run(catalog, *arguments, status=1).stderr
        assert reason in told(catalog, *arguments, status=1)["detail"]
    for weight in ("9", "nan"):
        text = run(catalog, "gguf", "small", target, "--adapter", f"{lora}={weight}", status=2)
        assert "a weight is from -8 to 8" in text.stderr
    assert not target.exists()
    assert not list(tmp_path.glob(".*"))


COMPILER = """
import pathlib, sys
words = sys.argv[1:]
assert words[0] == "compile" and words[2:4] == ["--device", "webgpu"], words
assert pathlib.Path(words[1]).name == "mlc-chat-config.json", words
if pathlib.Path(words[1]).parent.name == "bad":
    sys.exit("no such device")
pathlib.Path(words[words.index("--output") + 1]).write_bytes(b"library")
"""


def test_mlcs_compiler_is_called_where_it_is_installed(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In its place a program that holds what it is called with against what the compiler takes.
    installed = tmp_path / "installed" / "mlc_llm"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    (installed / "__main__.py").write_text(COMPILER)
    monkeypatch.syspath_prepend(installed.parent)
    monkeypatch.setenv("PYTHONPATH", ":".join([str(installed.parent), *filter(None, sys.path)]))
    library = tmp_path / "model.wasm"
    found = told(catalog, "mlc", "small", tmp_path / "out", "--library", library)
    assert found["library"]["sha256"] == sha256(b"library")
    text = run(
        catalog, "mlc", "small", tmp_path / "bad", "--library", tmp_path / "b.wasm", status=1
    ).stderr
    assert "mlc_llm made no library" in text
    assert "no such device" in text
    assert not (tmp_path / "b.wasm").exists()
