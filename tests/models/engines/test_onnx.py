"""Encoders in ONNX Runtime: a small one, the real multilingual-e5-small, and what is none."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from core.ports import Purpose
from models.engines.apart import EngineApart
from models.engines.onnx import MOST_TOKENS, OnnxEngine, OnnxSettings
from models.engines.protocol import Call, Sampling
from models.errors import BadFile, BadRequest, EngineFailed
from models.registry.catalog import CATALOG, read_catalog
from models.registry.registry import Registry
from tests.models.encoder.packed import PLACES, TOKENS, WIDTH, small_encoder, tokenizer


@pytest.fixture
async def engine(small_encoders: Registry) -> AsyncIterator[OnnxEngine]:
    made = engine_of(small_encoders)
    await made.load()
    yield made
    await made.unload()
    assert not made.loaded


def engine_of(registry: Registry) -> OnnxEngine:
    model = registry.newest("small")
    assert model.embedding is not None
    path = registry.shelf.path(model, model.loads)
    return OnnxEngine(path, OnnxSettings(model.embedding, model.context))


def dot(one: list[float], other: list[float]) -> float:
    return math.sumprod(one, other)


async def test_vectors_have_length_one_and_depend_on_the_purpose(engine: OnnxEngine) -> None:
    texts = ["word7 word8", "word9", "word7 word8"]
    found = await engine.embed(texts)
    assert [len(each) for each in found.vectors] == [WIDTH] * 3
    assert all(math.isclose(dot(each, each), 1, abs_tol=1e-5) for each in found.vectors)
    assert found.vectors[0] == found.vectors[2] != found.vectors[1]
    assert found.tokens == 5 + 4 + 5, "two ends and a prefix with each"
    passages = await engine.embed(texts, "passage")
    assert dot(found.vectors[0], passages.vectors[0]) < 0.999
    assert engine.running == 0


async def test_a_text_has_the_same_vector_alone_and_among_many(engine: OnnxEngine) -> None:
    texts = ["word6 " * (number % 9 + 1) for number in range(MOST_TOKENS // 8)]
    many = await engine.embed(texts)
    for at in (0, 8, len(texts) - 1):
        alone = await engine.embed([texts[at]])
        assert alone.vectors == [many.vectors[at]]


async def test_what_is_beyond_the_context_is_cut_off(engine: OnnxEngine) -> None:
    longest = await engine.embed(["word7 " * (PLACES - 3)])
    assert longest.tokens == PLACES
    longer = await engine.embed(["word7 " * 100_000])
    assert longer == longest


async def test_calls_take_turns_and_none_is_needed(engine: OnnxEngine) -> None:
    assert (await engine.embed([])).vectors == []
    found = await asyncio.gather(*(engine.embed([f"word{number}"]) for number in range(6, 20)))
    assert len({tuple(each.vectors[0]) for each in found}) == 14


async def test_it_neither_writes_nor_scores(engine: OnnxEngine) -> None:
    with pytest.raises(BadRequest, match="does not write"):
        await anext(engine.generate(Call("x", Sampling(1), 1)))
    with pytest.raises(BadRequest, match="does not write"):
        await engine.score("x", ["y"])


async def test_nothing_is_embedded_before_it_is_loaded(small_encoders: Registry) -> None:
    with pytest.raises(EngineFailed, match="not loaded"):
        await engine_of(small_encoders).embed(["word"])


def graph(inputs: list[str], output: str = "last_hidden_state", axes: int = 3) -> bytes:
    """A model that gives ones, for so many inputs."""
    names: list[str | int] = ["batch", "sequence", WIDTH]
    shape = helper.make_tensor("shape", TensorProto.INT64, [axes], [1, 4, WIDTH][:axes])
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], [output], value=one),
        *(helper.make_node("Identity", [name], [f"{name}_out"]) for name in inputs),
    ]
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["a", "b"]) for name in inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, names[:axes])],
        [shape],
    )
    opset = helper.make_opsetid("", 20)
    return bytes(helper.make_model(made, opset_imports=[opset], ir_version=9).SerializeToString())


def reading(place: str) -> bytes:
    """A model whose weights are said to lie in another file."""
    made = onnx.load_from_string(graph(["input_ids", "attention_mask"]))
    weights = made.graph.initializer.add(name="weights", data_type=TensorProto.UINT8, dims=[8])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=place)
    made.graph.node.append(helper.make_node("Identity", ["weights"], ["weights_out"]))
    made.graph.output.append(helper.make_tensor_value_info("weights_out", TensorProto.UINT8, [8]))
    return bytes(made.SerializeToString())


BOTH = ["input_ids", "attention_mask"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"model": b"this is no graph"}, "model.onnx is no ONNX file that can be run"),
        ({"model": b"GGUF" + bytes(500)}, "model.onnx is no ONNX file that can be run"),
        ({"model": reading("/etc/passwd")}, "model.onnx is no ONNX file that can be run"),
        ({"model": reading("../../../../etc/passwd")}, "is no ONNX file that can be run"),
        ({"model": graph(["pixels"])}, "takes pixels and gives last_hidden_state"),
        ({"model": graph([*BOTH, "pixels"])}, "is no encoder"),
        ({"model": graph(BOTH, "scores")}, "gives scores, where last_hidden_state"),
        ({"model": graph(BOTH, axes=2)}, "states of 2 axes, not 3"),
        ({"words": b"{}"}, "tokenizer.json is no tokenizer"),
        ({"words": b"\xff\xfe no text"}, "tokenizer.json is no tokenizer"),
        ({"words": tokenizer(TOKENS + 9)}, "does not run with its tokenizer"),
    ],
)
async def test_files_that_are_none_are_one_clear_error(
    registry: Callable[..., Registry], tmp_path: Path, files: dict[str, Any], reason: str
) -> None:
    made = registry(small_encoder(tmp_path, **files))
    made.pull(made.newest("small"))
    engine = engine_of(made)
    with pytest.raises(BadFile, match=reason) as raised:
        await engine.load()
    assert "root:" not in str(raised.value)
    assert not engine.loaded
    await engine.unload()


async def test_other_dimensions_than_the_catalogue_says_are_refused(
    registry: Callable[..., Registry], tmp_path: Path
) -> None:
    embedding = '{ tokenizer = "tokenizer.json", dimensions = 384 }'
    made = registry(small_encoder(tmp_path, embedding=embedding))
    made.pull(made.newest("small"))
    with pytest.raises(BadFile, match="vectors of 32 dimensions, where the catalogue says 384"):
        await engine_of(made).load()


@pytest.mark.needs("encoder")
async def test_the_real_encoder_finds_a_meaning_in_three_languages(encoder: Path) -> None:
    registry = Registry(read_catalog(CATALOG), encoder, {})
    model = registry.newest("multilingual-e5-small")
    assert model.embedding is not None
    with registry.loadable(model) as loadable:
        engine = OnnxEngine(loadable.path, OnnxSettings(model.embedding, model.context))
        await engine.load()
        passages = await engine.embed(
            [
                "To reset your password, open the settings and choose Security.",
                "We deliver within three working days.",
                "Our shop is closed on public holidays.",
            ],
            "passage",
        )
        asked = ["I forgot my login", "¿Cuándo llega mi paquete?", "מתי החנות סגורה?"]
        queries = await engine.embed(asked)
        await engine.unload()
    shares = np.array(queries.vectors) @ np.array(passages.vectors).T
    assert shares.argmax(axis=1).tolist() == [0, 1, 2]


async def test_in_a_process_of_its_own_it_says_the_same(
    engine: OnnxEngine, small_encoders: Registry
) -> None:
    model = small_encoders.newest("small")
    assert model.embedding is not None
    path = small_encoders.shelf.path(model, model.loads)
    apart = EngineApart(path, OnnxSettings(model.embedding, model.context))
    await apart.load()
    for purpose in get_args(Purpose):
        asked = ["word7 word8", "word9"]
        assert await apart.embed(asked, purpose) == await engine.embed(asked, purpose)
    await apart.unload()
