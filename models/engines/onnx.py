"""Encoders in ONNX Runtime: a graph of token states, and the tokenizer beside it.

Decides how texts are batched: sorted by length, so that little is padding, and so many tokens at a
time that memory stays bounded. A text's vector is the mean of its tokens' states, of length 1; what
is longer than the model's context is cut off. Everything runs in one thread of its own, the
library's threads beside it. Embedding blocks nobody; loading does, for about a second of a large
tokenizer, whose library holds the interpreter meanwhile.

Refuses a file that is not a graph, one with other inputs or outputs, and one whose vectors have
other dimensions than the catalogue says: before anything is loaded half. Writes nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.ports import Purpose
from models.engines.protocol import Call, Embedded, Piece
from models.errors import INSTALL, BadFile, BadRequest, EngineFailed
from models.registry.model import Embedding

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_TOKENS: Final = 1_024
"""In one pass, padding included: larger ones are no faster, and others wait longer."""

MOST_TEXT: Final = 16
"""Characters a token of the context: what is beyond cannot count, and is not even cut up."""

_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OUTPUT: Final = "last_hidden_state"
_PADS: Final = ("<pad>", "[PAD]")
_LEAST: Final = 1e-12
_FATAL: Final = 4
"""Of the library's levels: what goes wrong it raises as well."""


@dataclass(frozen=True, slots=True)
class OnnxSettings:
    """How an encoder is run: texts of `context` tokens at most, by so many threads."""

    embedding: Embedding
    context: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What is in memory while a model is loaded."""

    session: Any
    tokenizer: Any
    inputs: tuple[str, ...]
    pad: int


class OnnxEngine:
    """One ONNX file, with the tokenizer that lies beside it."""

    def __init__(self, path: Path, settings: OnnxSettings) -> None:
        self._path = path
        self._settings = settings
        self._loaded: _Loaded | None = None
        self._changing = asyncio.Lock()
        self._pool = ThreadPoolExecutor(1, "onnx")
        self._running = 0

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    @property
    def running(self) -> int:
        """How many calls have work that has not ended."""
        return self._running

    async def load(self) -> None:
        """Bring the model into memory. Raises `BadFile` or `EngineFailed`."""
        async with self._changing:
            if self._loaded is None:
                self._loaded = await self._in_thread(self._open)

    async def unload(self) -> None:
        """End what runs after its pass, and give the memory back."""
        async with self._changing:
            self._loaded = None
            await self._in_thread(_give_memory_back)

    def generate(self, call: Call) -> AsyncGenerator[Piece]:
        """Refused: this engine runs models that embed."""
        raise BadRequest("This model encodes text; it does not write any.", "model")

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        """Refused: this engine runs models that embed."""
        raise BadRequest("This model encodes text; it does not write any.", "model")

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        """A vector for each text; the same whatever else is asked for."""
        loaded = self._ready()
        vectors: list[list[float]] = [[]] * len(texts)
        self._running += 1
        try:
            rows = await self._in_thread(lambda: self._rows(loaded, texts, purpose))
            for batch in _batches(rows):
                # Others have their turn between two passes; whoever hangs up ends the next.
                self._ready()
                own = [rows[at] for at in batch]
                for at, vector in zip(
                    batch, await self._in_thread(_pass, loaded, own), strict=True
                ):
                    vectors[at] = vector
        finally:
            self._running -= 1
        return Embedded(vectors, sum(map(len, rows)))

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            raise EngineFailed("The model is not loaded.")
        return self._loaded

    def _rows(self, loaded: _Loaded, texts: Sequence[str], purpose: Purpose) -> list[list[int]]:
        """The tokens of each text."""
        embedding = self._settings.embedding
        prefix = embedding.query if purpose == "query" else embedding.passage
        most = MOST_TEXT * self._settings.context
        cut = [prefix + text[:most] for text in texts]
        return [each.ids for each in loaded.tokenizer.encode_batch(cut)]

    def _open(self) -> _Loaded:
        tokenizer = self._open_tokenizer()
        session = self._open_session()
        inputs = tuple(each.name for each in session.get_inputs())
        pads = [tokenizer.token_to_id(name) for name in _PADS]
        pad = next((each for each in pads if each is not None), 0)
        loaded = _Loaded(session, tokenizer, inputs, pad)
        self._check(loaded)
        return loaded

    def _open_session(self) -> Any:
        try:
            import onnxruntime  # noqa: PLC0415 - large: imported where a model is loaded
        except ImportError as error:
            raise EngineFailed(f"ONNX Runtime is not installed. {INSTALL}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._settings.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        # Threads that spin between two requests would take the processor from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                self._path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library has a class for each status
            raise BadFile(f"{self._path.name} is no ONNX file that can be run: {error}") from error

    def _open_tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer  # noqa: PLC0415
        except ImportError as error:
            raise EngineFailed(f"tokenizers is not installed. {INSTALL}") from error
        path = self._path.with_name(self._settings.embedding.tokenizer)
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing else
            raise BadFile(f"{path.name} is no tokenizer: {error}") from error
        # A tokenizer file may carry settings for batches; they are made here.
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._settings.context)
        return tokenizer

    def _check(self, loaded: _Loaded) -> None:
        """Refuse what cannot be asked as encoders are, by asking it once."""
        wanted = set(loaded.inputs)
        outputs = [each.name for each in loaded.session.get_outputs()]
        if not {"input_ids", "attention_mask"} <= wanted <= _INPUTS or _OUTPUT not in outputs:
            raise BadFile(
                f"{self._path.name} is no encoder: it takes {', '.join(loaded.inputs)} and gives "
                f"{', '.join(outputs)}, where {_OUTPUT} of input_ids and attention_mask is needed."
            )
        tried = loaded.tokenizer.encode(self._settings.embedding.query + "try").ids
        highest = loaded.tokenizer.get_vocab_size() - 1
        try:
            vector, _ = _pass(loaded, [tried]) + _pass(loaded, [[highest]])
        except EngineFailed as error:
            raise BadFile(f"{self._path.name} does not run with its tokenizer: {error}") from error
        if len(vector) != self._settings.embedding.dimensions:
            raise BadFile(
                f"{self._path.name} gives vectors of {len(vector)} dimensions, where the catalogue "
                f"says {self._settings.embedding.dimensions}."
            )

    async def _in_thread[**P, T](self, does: Callable[P, T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, does, *arguments)


def _give_memory_back() -> None:
    """Let the C library return what was freed: by itself it keeps 300 MB of a large tokenizer's."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc's alone
        trim(0)


def _batches(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Which rows are computed together: those of like length, `MOST_TOKENS` at most."""
    batch: list[int] = []
    for at in sorted(range(len(rows)), key=lambda at: len(rows[at])):
        # Rows come longer and longer: this one decides what the batch takes.
        if batch and (len(batch) + 1) * len(rows[at]) > MOST_TOKENS:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _pass(loaded: _Loaded, rows: Sequence[Sequence[int]]) -> list[list[float]]:
    """The vectors of these tokens. Raises `EngineFailed`."""
    import numpy as np  # noqa: PLC0415 - not where nothing is embedded

    size = (len(rows), max(map(len, rows)))
    ids, mask = np.full(size, loaded.pad, np.int64), np.zeros(size, np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros(size, np.int64)}
    try:
        (states,) = loaded.session.run([_OUTPUT], {name: given[name] for name in loaded.inputs})
    except Exception as error:  # the library has a class for each status
        raise EngineFailed(f"The encoder failed: {error}") from error
    if np.ndim(states) != 3:
        raise EngineFailed(f"The encoder gave states of {np.ndim(states)} axes, not 3.")
    return _pooled(states, mask)


def _pooled(states: NDArray[Any], mask: NDArray[Any]) -> list[list[float]]:
    """The mean of each text's tokens, brought to length 1. Raises `EngineFailed` for no numbers."""
    import numpy as np  # noqa: PLC0415

    pooled = (states * mask[..., None]).sum(1) / np.maximum(mask.sum(1), 1)[:, None]
    pooled /= np.maximum(np.linalg.norm(pooled, axis=-1, keepdims=True), _LEAST)
    if not np.isfinite(pooled).all():
        raise EngineFailed("The encoder gave vectors that are no numbers.")
    vectors: list[list[float]] = pooled.tolist()
    return vectors
