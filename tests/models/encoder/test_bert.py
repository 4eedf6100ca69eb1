"""The graph that is made of packaged weights, against the same encoder in plain numbers."""

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from models.encoder.bert import bert_int8
from models.encoder.packed import Packed
from models.registry.catalog import read_catalog
from models.registry.makers import make
from models.registry.model import MAKERS
from tests.models.encoder.packed import HEADS, LAYERS, WIDTH, Tensors, packed, tensors, write

IDS = np.array([[3, 9, 27, 1, 2], [5, 6, 0, 0, 0]])
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])


@pytest.fixture
def made(tmp_path: Path) -> bytes:
    return bert_int8(Packed(write(tmp_path / "small.bin", packed(tensors()))), lambda *_: None)


def run(model: bytes, ids: NDArray[Any], mask: NDArray[Any]) -> NDArray[Any]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (states,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    return np.asarray(states)


def plain(held: Tensors, ids: NDArray[Any]) -> NDArray[Any]:
    """One text's states, as the paper has them."""

    def norm(states: NDArray[Any], name: str) -> NDArray[Any]:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(scaled * held[f"{name}.w"] + held[f"{name}.b"])

    def dense(states: NDArray[Any], name: str) -> NDArray[Any]:
        return np.asarray(states @ held[f"{name}.w"].T + held[f"{name}.b"])

    states = held["emb.word"][ids] + held["emb.pos"][: len(ids)] + held["emb.type"][0]
    states = norm(states, "emb.ln")
    for layer in range(LAYERS):
        name = f"l{layer}"
        three = [
            dense(states, f"{name}.{part}").reshape(-1, HEADS, WIDTH // HEADS) for part in "qkv"
        ]
        queries, keys, values = (each.transpose(1, 0, 2) for each in three)
        scores = np.exp(queries @ keys.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ values
        mixed = dense(mixed.transpose(1, 0, 2).reshape(-1, WIDTH), f"{name}.ao")
        states = norm(states + mixed, f"{name}.aln")
        inner = dense(states, f"{name}.fi")
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        states = norm(states + dense(inner, f"{name}.fo"), f"{name}.oln")
    return states


def test_it_computes_what_the_weights_say(made: bytes) -> None:
    onnx.checker.check_model(onnx.load_from_string(made), full_check=True)
    states = run(made, IDS, MASK)
    for row, count in zip(range(2), MASK.sum(1), strict=True):
        expected = plain(tensors(), IDS[row, :count])
        found = states[row, :count]
        likeness = (expected * found).sum() / np.linalg.norm(expected) / np.linalg.norm(found)
        assert likeness > 0.995


def test_a_text_is_the_same_alone_and_among_others(made: bytes) -> None:
    together = run(made, IDS, MASK)
    alone = run(made, IDS[1:, :2], MASK[1:, :2])
    assert np.array_equal(together[1, :2], alone[0])


def test_making_it_again_gives_the_same_bytes(made: bytes, tmp_path: Path) -> None:
    source = write(tmp_path / "again.bin", packed(tensors()))
    told: list[tuple[int, int | None]] = []
    with (tmp_path / "made").open("wb") as out:
        make("bert-int8", source, out, lambda *at: told.append(at))
    assert (tmp_path / "made").read_bytes() == made
    assert told[-1] == (LAYERS, LAYERS)
    # Whoever changes a byte of it changes the hash in the catalogue too.
    assert hashlib.sha256(made).hexdigest() == GOLDEN


GOLDEN = "e3c7b221d88b7345465a85ecc1845949f74452cc99de5f4fe7e096dcae2f14a8"


def test_every_maker_that_the_catalogue_may_name_is_there(tmp_path: Path) -> None:
    used = {
        each.recipe.maker for model in read_catalog().models for each in model.files if each.recipe
    }
    assert used == set(MAKERS)
