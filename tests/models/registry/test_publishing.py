"""Publishing a model for browsers: what the folder holds, and what is never left half written."""

import base64
import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadFile, ModelError, UnknownModel
from models.gguf.dequantise import to_float32
from models.gguf.header import read_header
from models.gguf.types import F32, Q8_0
from models.registry.encoding import publish_encoder
from models.registry.packing import publish_mlc
from models.registry.publishing import BLOCK_BYTES, publish
from models.registry.registry import Registry
from tests.models.samples import entry, file_entry, known, sha256, small_gguf

Make = Callable[..., Registry]


def brought(make: Make, tmp_path: Path, content: bytes) -> Registry:
    """A registry whose model `small` has this content, and is here."""
    (tmp_path / "origin").write_bytes(content)
    registry = make(entry(files=file_entry(**known(content))))
    registry.pull(registry.find("small"))
    return registry


def test_a_file_stands_under_its_hash_beside_those_of_its_blocks(
    registry: Make, tmp_path: Path
) -> None:
    content = bytes(range(251)) * 10_000
    made = brought(registry, tmp_path, content)
    folder = tmp_path / "published"
    done = publish(made, made.find("small"), folder)
    assert done.file == folder / "sha256" / sha256(content)
    assert done.file.read_bytes() == content
    manifest = json.loads(done.manifest.read_text())
    blocks = [content[at : at + BLOCK_BYTES] for at in range(0, len(content), BLOCK_BYTES)]
    assert manifest["blocks"] == [hashlib.sha256(block).hexdigest() for block in blocks]
    row = (manifest["id"], manifest["size"], manifest["sha256"], manifest["licence"])
    assert row == ("small", len(content), sha256(content), "Apache-2.0")
    # Once more changes nothing.
    assert publish(made, made.find("small"), folder) == done
    assert sorted(path.name for path in folder.rglob("*")) == sorted(
        ["sha256", done.file.name, "small.json"]
    )


def test_in_eight_bits_the_numbers_are_nearly_the_same(registry: Make, tmp_path: Path) -> None:
    made = brought(registry, tmp_path, small_gguf())
    done = publish(made, made.find("small"), tmp_path / "published", "q8_0")
    header, data = read_header(done.file), done.file.read_bytes()
    assert header.keys["general.file_type"] == 7
    kinds = {each.name: each.kind for each in header.tensors}
    assert kinds == {"m": Q8_0, "o": Q8_0, "v": F32}

    def numbers(at: int) -> np.ndarray:
        each = header.tensors[at]
        start = header.data_start + each.offset
        return to_float32(data[start : start + each.size], each.kind)

    row = np.array([0.5 * step - 2 for step in range(16)] * 4)
    assert np.abs(numbers(0) - row).max() <= np.abs(row).max() / 127 / 2 + 1e-2
    assert list(numbers(2)) == [1, 2, 3, 4]


def test_what_fails_leaves_nothing_behind(registry: Make, tmp_path: Path) -> None:
    made = brought(registry, tmp_path, b"no model at all")
    folder = tmp_path / "published"
    with pytest.raises(BadFile):
        publish(made, made.find("small"), folder, "q8_0")
    assert [path.name for path in folder.rglob("*")] == ["sha256"]
    absent = registry(entry(model="other", files=file_entry(**known())))
    with pytest.raises(UnknownModel):
        publish(absent, absent.find("other"), folder)


def export(folder: Path, **changes: str) -> Path:
    """A folder as `fanlight models export mlc` writes it."""
    folder.mkdir()
    record = {"name": "w", "shape": [3, 5], "dtype": "float32", "nbytes": 30}
    other = {"name": "v", "shape": [4], "dtype": "uint32", "nbytes": 16}
    shape = {"num_key_value_heads": 2, "head_dim": 4, "num_hidden_layers": 3}
    files = {
        "mlc-chat-config.json": json.dumps(
            {"quantization": "q4f16_1", "context_window_size": 10, "model_config": shape}
        ),
        "tensor-cache.json": json.dumps({"records": [{"records": [record, other]}]}),
        "tokenizer.json": "{}",
        "params_shard_0.bin": "weights",
    }
    for name, content in (files | changes).items():
        (folder / name).write_text(content)
    return folder


def test_a_folder_for_webllm_is_one_file_with_the_hashes_of_all_in_it(
    registry: Make, tmp_path: Path
) -> None:
    made = registry(entry(files=file_entry(**known())))
    library = tmp_path / "any.wasm"
    library.write_bytes(b"\0asm\1\0\0\0")
    source, folder = export(tmp_path / "mlc"), tmp_path / "published"
    done = publish_mlc(made.find("small"), source, folder, library)
    row = json.loads(done.manifest.read_text())
    assert done.manifest.name == "small@q4f16_1.json"
    about = {name: row[name] for name in ("engine", "library", "shader_f16", "buffer", "size")}
    assert about == {
        "engine": "webllm",
        "library": True,
        "shader_f16": True,
        "buffer": 60,
        "size": done.file.stat().st_size,
    }
    assert row["memory"] == row["size"] + 2 * 2 * 4 * 3 * 10 * 2 + (128 << 20)
    with tarfile.open(done.file) as archive:
        first, *names = archive.getnames()
        read = {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]
        hashes = json.loads(archive.extractfile(first).read())  # type: ignore[union-attr]
    assert first == "integrity.json"
    assert read["library.wasm"] == library.read_bytes()
    assert hashes == {
        name: f"sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}"
        for name, content in read.items()
    }
    # The same files are the same bytes.
    assert publish_mlc(made.find("small"), source, folder, library) == done


@pytest.mark.parametrize(
    ("changes", "library", "said"),
    [
        ({"tensor-cache.json": "{"}, None, "is no export"),
        ({"tensor-cache.json": '{"records": []}'}, None, "is no export"),
        ({"x" * 120: ""}, None, "too long"),
        ({}, b"text", "no WebAssembly"),
    ],
)
def test_what_is_no_folder_for_webllm_is_refused(
    registry: Make, tmp_path: Path, changes: dict[str, str], library: bytes | None, said: str
) -> None:
    made = registry(entry(files=file_entry(**known())))
    path = tmp_path / "any.wasm"
    path.write_bytes(library or b"")
    given = None if library is None else path
    with pytest.raises(ModelError, match=said):
        publish_mlc(made.find("small"), export(tmp_path / "mlc", **changes), tmp_path / "p", given)
    assert not (tmp_path / "p").exists()


def test_an_empty_folder_is_no_export(registry: Make, tmp_path: Path) -> None:
    made = registry(entry(files=file_entry(**known())))
    with pytest.raises(ModelError, match=r"no mlc-chat-config\.json"):
        publish_mlc(made.find("small"), tmp_path, tmp_path / "p")


def test_an_encoder_is_one_file_with_its_tokenizer_and_how_it_is_asked(
    registry: Make, tmp_path: Path
) -> None:
    graph, cut = b"graph" * 300_000, b"{}"
    (tmp_path / "graph").write_bytes(graph)
    (tmp_path / "cut").write_bytes(cut)
    files = [
        file_entry("model.onnx", source="file:graph", **known(graph)),
        file_entry("cut.json", source="file:cut", **known(cut)),
    ]
    said = '{ tokenizer = "cut.json", dimensions = 4, query = "q: ", languages = ["en"], '
    made = registry(
        entry(
            name="model.onnx",
            kind='"embed"',
            embedding=said + "search = { kb = 0.5, near = 7 } }",
            files="\n".join(files),
        )
    )
    made.pull(made.find("small"))
    done = publish_encoder(made, made.find("small"), tmp_path / "published")
    with tarfile.open(done.file) as archive:
        read = {each.name: archive.extractfile(each) for each in archive.getmembers()}
        found = {name: file.read() for name, file in read.items() if file is not None}
    assert list(found) == ["encoder.json", "tokenizer.json", "model.onnx"]
    assert (found["tokenizer.json"], found["model.onnx"]) == (cut, graph)
    assert json.loads(found["encoder.json"]) == {
        "dimensions": 4,
        "context": 64,
        "query": "q: ",
        "passage": "",
        "weights": {"kb": 0.5, "near": 7.0, "languages": ["en"]},
    }
    manifest = json.loads(done.manifest.read_text())
    assert (manifest["kind"], manifest["size"]) == ("embed", done.file.stat().st_size)
    assert len(manifest["blocks"]) == 2
    # The same files are the same bytes.
    assert publish_encoder(made, made.find("small"), tmp_path / "published") == done


def test_what_writes_is_no_encoder(registry: Make, tmp_path: Path) -> None:
    made = registry(entry(files=file_entry(**known())))
    with pytest.raises(ModelError, match="its kind is chat"):
        publish_encoder(made, made.find("small"), tmp_path / "published")
    assert not (tmp_path / "published").exists()
