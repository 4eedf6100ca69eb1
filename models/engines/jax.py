"""Llama-family models in JAX, many conversations and adapters in one batch.

Decides in which numbers it computes where nothing is said: bfloat16 where JAX sees an accelerator,
float32 on a processor, where it agrees better with llama.cpp. The device is JAX's own choice.
Encodes nothing.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from core.ports import Purpose
from models.engines.protocol import (
    Call,
    Embedded,
    Likelihood,
    Piece,
    Sampling,
    TokenLikelihood,
    Usage,
)
from models.errors import BadRequest, EngineFailed, InUse, Overflow, TooLate, UnknownAdapter

if TYPE_CHECKING:
    from models.decoder.batch import Batch
    from models.decoder.decoder import Decoder
    from models.decoder.jobs import Token, Told
    from models.decoder.template import ChatTemplate
    from models.decoder.tokens import Tokens

MISSING: Final = 'JAX is not installed. Install it: pip install "fanlight[server,jax]"'

type Kind = Literal["auto", "bfloat16", "float32"]


@dataclass(frozen=True, slots=True)
class JaxSettings:
    """How a model is run: `at_once` calls in one batch, each with `context` tokens.

    `adapters` are loaded with the model, by id.
    """

    architecture: str
    context: int
    at_once: int = 4
    kind: Kind = "auto"
    adapters: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class _Model:
    """What is in memory while a model is loaded."""

    decoder: Decoder
    batch: Batch
    tokens: Tokens
    template: ChatTemplate | None


class JaxEngine:
    """One GGUF file in JAX."""

    def __init__(self, path: Path, settings: JaxSettings) -> None:
        self._path = path
        self._settings = settings
        self._model: _Model | None = None
        self._changing = asyncio.Lock()
        self._pool = ThreadPoolExecutor(1, "jax")

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory, and of use."""
        return self._model is not None and self._model.batch.open

    @property
    def running(self) -> int:
        """How many calls have work that has not ended."""
        return len(self._model.batch.jobs) if self._model else 0

    @property
    def adapters(self) -> tuple[str, ...]:
        """The ids of the adapters that calls may have."""
        return self._model.decoder.pool.names if self._model else ()

    async def load(self) -> None:
        """Bring the model into memory. Raises `BadFile` or `EngineFailed`."""
        async with self._changing:
            if not self.loaded:
                self._model = None
                self._model = await self._in_thread(self._open)

    async def unload(self) -> None:
        """End what runs, and give the memory back."""
        async with self._changing:
            model, self._model = self._model, None
            if model is not None:
                await self._in_thread(model.batch.close)

    async def add_adapter(self, name: str, path: Path) -> None:
        """Let calls have an adapter, or replace it between two steps.

        Raises `BadFile` where it is none, or is another model's; then nothing has changed.
        """
        from models.decoder.adapter import gguf_adapter  # noqa: PLC0415

        model = self._ready()
        shape, pool = model.decoder.shape, model.decoder.pool
        adapter = await self._in_thread(lambda: gguf_adapter(path, shape))
        await asyncio.wrap_future(model.batch.between(lambda: pool.put(name, adapter)))

    async def drop_adapter(self, name: str) -> None:
        """Give an adapter's memory back. Raises `InUse` while a call has it."""
        model = self._ready()

        def drop() -> None:
            if any(name in job.adapters for job in model.batch.jobs):
                raise InUse(f"A call runs with the adapter {name!r}. Try again when it has ended.")
            model.decoder.pool.drop(name)

        await asyncio.wrap_future(model.batch.between(drop))

    async def generate(self, call: Call) -> AsyncGenerator[Piece]:
        """The reply's pieces as they come."""
        from models.decoder.jobs import Generation  # noqa: PLC0415

        model, sampling = self._ready(), call.sampling
        adapters = self._adapters(model, call.adapters)
        _check(sampling)
        prompt = await self._in_thread(lambda: _tokens(model, call))
        if len(prompt) >= model.decoder.context:
            raise Overflow(len(prompt), model.decoder.context)
        heard = _Heard()
        seed = secrets.randbits(32) if sampling.seed is None else sampling.seed & 0xFFFFFFFF
        job = Generation(prompt, adapters, heard.tell, sampling=sampling, seed=seed)
        model.batch.add(job)
        due = asyncio.get_running_loop().time() + call.timeout_s
        try:
            async for piece in _pieces(heard, model.tokens, len(prompt), call, due):
                yield piece
        finally:
            job.end()

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        """The sum over each text's tokens' log-probabilities; texts are cut into tokens alone."""
        from models.decoder.jobs import Scored, Scoring  # noqa: PLC0415

        model = self._ready()
        before = await self._in_thread(lambda: model.tokens.encode(prompt))
        after = [model.tokens.encode_more(text) for text in continuations]
        longest = len(before) + max(map(len, after), default=0)
        if not before:
            raise BadRequest("There is no prompt to score continuations after.", "prompt")
        if longest > model.decoder.context:
            raise Overflow(longest, model.decoder.context)
        heard = _Heard()
        job = Scoring(before, {}, heard.tell, continuations=after)
        model.batch.add(job)
        try:
            told = await heard.next()
        finally:
            job.end()
        assert isinstance(told, Scored)  # noqa: S101 - a scoring tells nothing else
        return list(told.logprobs)

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        """Refused: this engine runs models that write."""
        raise BadRequest("This model writes text; it is no encoder.", "model")

    def _ready(self) -> _Model:
        if self._model is None:
            raise EngineFailed("The model is not loaded.")
        return self._model

    def _adapters(self, model: _Model, wanted: Sequence[tuple[str, float]]) -> Mapping[str, float]:
        known = model.decoder.pool.names
        for name, weight in wanted:
            if name not in known:
                held = f"Loaded: {', '.join(known)}." if known else "None is loaded."
                raise UnknownAdapter(f"There is no adapter {name!r} here. {held}")
            if not math.isfinite(weight):
                raise BadRequest(f"The weight of the adapter {name!r} is no number.", "adapters")
        if len(dict(wanted)) != len(wanted):
            raise BadRequest("An adapter comes twice. Add its weights up.", "adapters")
        return dict(wanted)

    def _open(self) -> _Model:
        try:
            # Large: imported where a model is loaded.
            from models.decoder.adapter import gguf_adapter  # noqa: PLC0415
            from models.decoder.batch import Batch  # noqa: PLC0415
            from models.decoder.decoder import Decoder  # noqa: PLC0415
            from models.decoder.template import ChatTemplate  # noqa: PLC0415
            from models.decoder.tokens import gguf_tokens  # noqa: PLC0415
            from models.decoder.weights import load_gguf  # noqa: PLC0415
        except ImportError as error:
            raise EngineFailed(MISSING) from error
        settings = self._settings
        kind = device_kind(settings.kind)
        header, shape, weights = load_gguf(self._path, settings.architecture, kind)
        tokens = gguf_tokens(self._path, header)
        source = header.keys.get("tokenizer.chat_template")
        template = ChatTemplate(source) if isinstance(source, str) else None
        context = min(settings.context, shape.context)
        decoder = Decoder(shape, weights, rows=settings.at_once, context=context)
        for name, path in settings.adapters:
            decoder.pool.put(name, gguf_adapter(path, shape))
        return _Model(decoder, Batch(decoder, tokens.ends), tokens, template)

    async def _in_thread[T](self, does: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, does)


class _Heard:
    """What a job tells, on the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Told] = asyncio.Queue()

    def tell(self, told: Told) -> None:
        """Called from any thread. Where the loop has ended, nobody listens."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, told)

    async def next(self) -> Told:
        """The next. Raises `EngineFailed` where it could not be done."""
        from models.decoder.jobs import Failed  # noqa: PLC0415

        told = await self._queue.get()
        if isinstance(told, Failed):
            raise EngineFailed(told.message)
        return told


def device_kind(kind: Kind) -> Kind:
    """The numbers in which JAX's device computes, where nothing is said."""
    import jax  # noqa: PLC0415

    if kind != "auto":
        return kind
    return "float32" if jax.default_backend() == "cpu" else "bfloat16"


async def _pieces(
    heard: _Heard, tokens: Tokens, prompt: int, call: Call, due: float
) -> AsyncGenerator[Piece]:
    from models.decoder.jobs import Ended, Token  # noqa: PLC0415
    from models.decoder.writing import Writing  # noqa: PLC0415

    writing, count = Writing(call.sampling.stop), 0
    while True:
        try:
            async with asyncio.timeout_at(due):
                told = await heard.next()
        except TimeoutError as error:
            raise TooLate(f"The model took longer than {call.timeout_s:g} s.") from error
        if isinstance(told, Ended):
            yield Piece(writing.end(), (), told.finish, Usage(prompt, told.tokens))
            return
        assert isinstance(told, Token)  # noqa: S101 - a generation tells nothing else
        count += 1
        text = writing.add(tokens.raw(told.token))
        likely = (_likelihoods(tokens, told),) if call.sampling.logprobs is not None else ()
        if writing.stopped:
            yield Piece(text, likely, "stop", Usage(prompt, count))
            return
        if text or likely:
            yield Piece(text, likely)


def _tokens(model: _Model, call: Call) -> list[int]:
    if isinstance(call.prompt, str):
        prompt = model.tokens.encode(call.prompt)
    elif model.template is None:
        raise BadRequest("The model has no chat template: send it text.", "messages")
    else:
        prompt = model.tokens.encode(model.template.text(call.prompt))
    if not prompt:
        raise BadRequest("The prompt is empty.", "prompt")
    return prompt


def _check(sampling: Sampling) -> None:
    from models.decoder.sampling import LIKELIEST  # noqa: PLC0415

    if sampling.max_tokens < 1:
        raise BadRequest("max_tokens is less than 1.", "max_tokens")
    if (sampling.logprobs or 0) > LIKELIEST:
        raise BadRequest(f"At most {LIKELIEST} of the likeliest are told.", "logprobs")
    if not sampling.repetition_penalty > 0:
        raise BadRequest("repetition_penalty is not positive.", "repetition_penalty")


def _likelihoods(tokens: Tokens, told: Token) -> TokenLikelihood:
    return TokenLikelihood(
        _likelihood(tokens, told.token, told.logprob),
        tuple(_likelihood(tokens, *each) for each in told.likeliest),
    )


def _likelihood(tokens: Tokens, token: int, logprob: float) -> Likelihood:
    return Likelihood(tokens.text(token), tokens.raw(token), logprob)
