"""Publishes an encoder for visitors' browsers: graph, tokenizer and how it is asked, as one file.

Decides the archive's names, which `web/src/engines/encoder` reads, and that the manifest says what
it is of: nothing that writes text can be taken for it. Refuses a model that embeds nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from models.errors import ModelError
from models.registry.archive import archived
from models.registry.model import Embedding, Model
from models.registry.progress import Progress, silent
from models.registry.publishing import FILES, Published, hashed, manifest_row, written
from models.registry.registry import Registry

KIND: Final = "embed"
FACTS: Final = "encoder.json"
GRAPH: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"


def publish_encoder(
    registry: Registry, model: Model, folder: Path, progress: Progress = silent
) -> Published:
    """Write the encoder `model` into `folder`.

    Raises `ModelError` where it is not here, damaged, or no encoder.
    """
    embedding = model.embedding
    if model.kind != KIND or embedding is None:
        raise ModelError(f"{model.id} is no encoder: its kind is {model.kind}.")
    (folder / FILES).mkdir(parents=True, exist_ok=True)
    with registry.loadable(model) as loadable:
        files: dict[str, Path | bytes] = {
            FACTS: json.dumps(_facts(model, embedding), sort_keys=True).encode(),
            TOKENIZER: loadable.path.with_name(embedding.tokenizer),
            GRAPH: loadable.path,
        }
        made = written(folder / FILES, lambda path: archived(files, path))
    try:
        size, sha256, blocks = hashed(made, progress(f"{model.id}: hashing"))
        made.replace(folder / FILES / sha256)
    finally:
        made.unlink(missing_ok=True)
    row = {**manifest_row(model, size, sha256, blocks), "kind": KIND}
    manifest = folder / f"{model.id}.json"
    text = json.dumps(row, ensure_ascii=False)
    written(folder, lambda path: path.write_text(text, "utf-8")).replace(manifest)
    return Published(manifest, folder / FILES / sha256, size, sha256)


def _facts(model: Model, embedding: Embedding) -> dict[str, object]:
    """How it is asked, as `Embedding` has it."""
    return {
        "dimensions": embedding.dimensions,
        "context": model.context,
        "query": embedding.query,
        "passage": embedding.passage,
        "weights": (
            {**dict(embedding.search), "languages": list(embedding.languages)}
            if embedding.search
            else None
        ),
    }
