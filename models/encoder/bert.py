"""Writes a BERT encoder as an ONNX graph with its matrices in eight bits.

The graph takes `input_ids` and `attention_mask` (batch, sequence) and gives `last_hidden_state`
(batch, sequence, width): a BERT encoder (Devlin et al., 2019, arXiv:1810.04805) without its token
types, which are all the same. What it is made of decides every byte, so that the result's hash can
be written down.

Each column of a matrix has a scale of its own, and so has each token's row that it is multiplied
with: a text's vectors do not depend on which others are computed with it. Weights take seven of the
eight bits: sums of two products then fit into 16 bits, in which processors without VNNI add them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.encoder.packed import Packed, Shape, Vectors

OPSET: Final = 20
"""The first with `Gelu`."""

IR_VERSION: Final = 9
"""The format's version that came with it."""

_ROWS: Final = 1 << 14
_WEIGHT_STEPS: Final = 63
_INPUT_STEPS: Final = 127
_MIDDLE: Final = 128
"""Stands for zero: ONNX Runtime multiplies unsigned with signed rows sixty times faster than signed
with signed ones."""
_HIDDEN: Final = -1e9
_LEAST: Final = 1e-12
"""The smallest scale: a row of zeros has one too."""


def bert_int8(packed: Packed, told: Callable[[int, int], None]) -> bytes:
    """The model of these weights. Raises `BadFile`; `told` hears how many layers are done."""
    graph = _Graph(packed)
    shape = packed.shape
    states = graph.embedded()
    hidden = graph.mask()
    for layer in range(shape.layers):
        states = graph.layer(f"l{layer}", states, hidden)
        told(layer + 1, shape.layers)
    return graph.model(states)


@dataclass(slots=True)
class _Graph:
    packed: Packed
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    @property
    def shape(self) -> Shape:
        return self.packed.shape

    # ---- parts of an encoder

    def embedded(self) -> str:
        """The states before the first layer."""
        width = self.shape.width
        places = self.packed.height("emb.pos", width)
        table = self.packed.tensor("emb.pos", places, width)
        kind = self.packed.tensor("emb.type", self.packed.height("emb.type", width), width)[0]
        words = self._table("emb.word", width)
        length = self.add("Shape", ["input_ids"], "length", start=1, end=2)
        first = self.constant("first", np.array([0], np.int64))
        position = self.constant("emb.pos", table + kind)
        position = self.add("Slice", [position, first, length, first], "position")
        return self.norm("emb.ln", self.add("Add", [words, position], "embedded"))

    def mask(self) -> str:
        """What is added to scores: nothing for tokens, a large negative number for padding."""
        mask = self.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        one = self.constant("one", np.float32(1))
        absent = self.add("Sub", [one, mask], "absent")
        absent = self.add("Mul", [absent, self.constant("hidden", np.float32(_HIDDEN))], "hide")
        axes = self.constant("axes", np.array([1, 2], np.int64))
        return self.add("Unsqueeze", [absent, axes], "hidden_scores")

    def layer(self, name: str, states: str, hidden: str) -> str:
        """One layer: attention, and the inner network."""
        shape = self.shape
        mixed = self.attention(name, states, hidden)
        mixed = self.dense(f"{name}.ao", mixed, self._matrices(name, ("ao",), shape.width))
        states = self.norm(f"{name}.aln", self.add("Add", [states, mixed], f"{name}.a"))
        inner = self.dense(f"{name}.fi", states, self._matrices(name, ("fi",), shape.inner))
        inner = self.add("Gelu", [inner], f"{name}.gelu")
        out = self.dense(f"{name}.fo", inner, self._matrices(name, ("fo",), shape.width))
        return self.norm(f"{name}.oln", self.add("Add", [states, out], f"{name}.b"))

    def attention(self, name: str, states: str, hidden: str) -> str:
        """Multi-head attention; queries, keys and values come of one product."""
        width, heads = self.shape.width, self.shape.heads
        three = self.dense(f"{name}.qkv", states, self._matrices(name, ("q", "k", "v"), width))
        split = self.constant("split", np.array([0, 0, 3, heads, width // heads], np.int64))
        three = self.add("Reshape", [three, split], f"{name}.heads")
        three = self.add("Transpose", [three], f"{name}.turned", perm=[2, 0, 3, 1, 4])
        parts = [
            self.add(
                "Gather",
                [three, self.constant(f"part{at}", np.int64(at))],
                f"{name}.{part}",
                axis=0,
            )
            for at, part in enumerate(("queries", "keys", "values"))
        ]
        keys = self.add("Transpose", [parts[1]], f"{name}.keys_t", perm=[0, 1, 3, 2])
        scores = self.add("MatMul", [parts[0], keys], f"{name}.scores")
        scores = self.add("Add", [scores, hidden], f"{name}.seen")
        scores = self.add("Softmax", [scores], f"{name}.shares", axis=-1)
        mixed = self.add("MatMul", [scores, parts[2]], f"{name}.mixed")
        mixed = self.add("Transpose", [mixed], f"{name}.back", perm=[0, 2, 1, 3])
        joined = self.constant("join", np.array([0, 0, width], np.int64))
        return self.add("Reshape", [mixed, joined], f"{name}.joined")

    # ---- parts of a layer

    def dense(self, name: str, states: str, own: tuple[Vectors, Vectors]) -> str:
        """A product in eight bits, each row and each column with its scale; then the bias."""
        matrix, bias = own
        whole, scales = _quantised(matrix, axis=0, steps=_WEIGHT_STEPS)
        rows, row_scale = self._rounded(name, states)
        middle = self.constant("zero_point", np.uint8(_MIDDLE))
        weights = self.constant(f"{name}.w", whole)
        product = self.add("MatMulInteger", [rows, weights, middle], f"{name}.i")
        product = self.add("Cast", [product], f"{name}.f", to=TensorProto.FLOAT)
        product = self.add("Mul", [product, row_scale], f"{name}.r")
        product = self.add("Mul", [product, self.constant(f"{name}.s", scales)], f"{name}.c")
        return self.add("Add", [product, self.constant(f"{name}.bias", bias)], f"{name}.out")

    def norm(self, name: str, states: str) -> str:
        """A layer norm."""
        own = [
            self.constant(f"{name}.{part}", self.packed.tensor(f"{name}.{part}", self.shape.width))
            for part in ("w", "b")
        ]
        epsilon = self.shape.epsilon
        return self.add("LayerNormalization", [states, *own], f"{name}.out", epsilon=epsilon)

    def _rounded(self, name: str, states: str) -> tuple[str, str]:
        """States in eight bits without a sign, and the scale of each row."""
        largest = self.add("Abs", [states], f"{name}.abs")
        last = self.constant("last", np.array([-1], np.int64))
        largest = self.add("ReduceMax", [largest, last], f"{name}.max", keepdims=1)
        step = self.constant("step", np.float32(1 / _INPUT_STEPS))
        scale = self.add("Mul", [largest, step], f"{name}.scale")
        scale = self.add("Max", [scale, self.constant("least", np.float32(_LEAST))], f"{name}.some")
        rows = self.add("Div", [states, scale], f"{name}.steps")
        rows = self.add("Round", [rows], f"{name}.round")
        rows = self.add("Add", [rows, self.constant("middle", np.float32(_MIDDLE))], f"{name}.up")
        return self.add("Cast", [rows], f"{name}.uint8", to=TensorProto.UINT8), scale

    def _table(self, name: str, width: int) -> str:
        """Rows of a table by the token ids, kept in eight bits."""
        height = self.packed.height(name, width)
        whole = np.empty((height, width), np.int8)
        scales = np.empty((height, 1), np.float32)
        at = 0
        for part in self.packed.rows(name, width, _ROWS):
            upto = at + len(part)
            whole[at:upto], scales[at:upto] = _quantised(part, axis=1, steps=_INPUT_STEPS)
            at = upto
        rows = self.add("Gather", [self.constant(name, whole), "input_ids"], f"{name}.rows")
        rows = self.add("Cast", [rows], f"{name}.f", to=TensorProto.FLOAT)
        scale = self.add("Gather", [self.constant(f"{name}.s", scales), "input_ids"], f"{name}.r")
        return self.add("Mul", [rows, scale], f"{name}.out")

    def _matrices(self, layer: str, parts: Sequence[str], height: int) -> tuple[Vectors, Vectors]:
        """Matrices side by side as (in, out), and their biases; queries carry attention's scale."""
        width = self.shape.inner if parts == ("fo",) else self.shape.width
        matrices, biases = [], []
        for part in parts:
            matrix = self.packed.tensor(f"{layer}.{part}.w", height, width)
            bias = self.packed.tensor(f"{layer}.{part}.b", height)
            factor = np.float32(1)
            if part == "q":
                factor /= np.sqrt(np.float32(self.shape.width // self.shape.heads))
            matrices.append((matrix * factor).T)
            biases.append(bias * factor)
        return np.concatenate(matrices, axis=1), np.concatenate(biases)

    # ---- the file

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """A node; gives the name of what comes out of it."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        """A constant; one that stands already is not written twice."""
        if name not in self._known:
            self._known.add(name)
            values = np.ascontiguousarray(value)
            kind = helper.np_dtype_to_tensor_dtype(values.dtype)
            data = values.astype(values.dtype.newbyteorder("<")).tobytes()
            self.constants.append(helper.make_tensor(name, kind, np.shape(value), data, raw=True))
        return name

    def model(self, states: str) -> bytes:
        """The whole file; its last node gives the states their public name."""
        self.nodes[-1].output[0] = "last_hidden_state"
        ids = ["batch", "sequence"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ids)
            for name in ("input_ids", "attention_mask")
        ]
        width: list[str | int] = [*ids, self.shape.width]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, width)
        graph = helper.make_graph(self.nodes, "encoder", inputs, [output], self.constants)
        model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="fanlight", graph=graph)
        model.opset_import.append(helper.make_opsetid("", OPSET))
        return bytes(model.SerializeToString(deterministic=True))


def _quantised(matrix: Vectors, axis: int, steps: int) -> tuple[NDArray[np.int8], Vectors]:
    """Whole numbers from -steps to steps, and the scale of each column (axis 0) or row (axis 1)."""
    scales = np.abs(matrix).max(axis=axis, keepdims=True) / np.float32(steps)
    scales = np.maximum(scales, np.float32(_LEAST))
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)
