"""llama.cpp, through xllamacpp.

Decides how it is set up: one slot for each call at a time, each with the whole context; prompts are
read in small steps, between which a call can be ended. The library opens a port of its own on
this machine's loopback; it is needed to count tokens, and a key made here keeps others out.

Every call runs in a thread. It is ended by what it is told between two tokens or two steps, so a
call that is late or no longer wanted stops costing anything within moments.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import os
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.ports import Purpose
from models.engines.dialect import body_of, error_of, piece_of
from models.engines.protocol import Call, Embedded, Piece
from models.errors import INSTALL, BadFile, BadRequest, EngineFailed, ModelError, Overflow, TooLate
from models.gguf.fitness import check_fitness
from models.gguf.header import read_header

STEP_TOKENS: Final = 128
"""So many tokens of a prompt are read at a time: half a second on a slow machine."""

SPARE_THREADS: Final = 2
"""For loading, scoring and embedding beside the calls."""

FORCED: Final = 1_000.0
"""Added to a token's logit, it is chosen; its log-probability is told from before."""

_QUIET: Final = -1


@dataclass(frozen=True, slots=True)
class LlamaSettings:
    """How a model is run. `at_once` calls share the processor; each has `context` tokens."""

    architecture: str
    context: int
    threads: int
    at_once: int = 1
    encoder: bool = False


class LlamaEngine:
    """One GGUF file in llama.cpp."""

    def __init__(self, path: Path, settings: LlamaSettings) -> None:
        self._path = path
        self._settings = settings
        self._server: Any = None
        self._key = secrets.token_urlsafe(24)
        self._changing = asyncio.Lock()
        self._calls: set[_Work] = set()
        self._pool = ThreadPoolExecutor(settings.at_once + SPARE_THREADS, "llama")

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._server is not None

    @property
    def running(self) -> int:
        """How many calls have work that has not ended."""
        return len(self._calls)

    async def load(self) -> None:
        """Bring the model into memory. Raises `BadFile` or `EngineFailed`."""
        async with self._changing:
            if self._server is None:
                self._server = await self._in_thread(self._open)

    async def unload(self) -> None:
        """End what runs, and give the memory back."""
        async with self._changing:
            for work in tuple(self._calls):
                work.end()
            for work in tuple(self._calls):
                with suppress(ModelError):
                    await work.ended()
            server, self._server = self._server, None
            if server is not None:
                # Its destructor waits for its threads.
                await self._in_thread(_Dropping(server))

    async def generate(self, call: Call) -> AsyncGenerator[Piece]:
        """The reply's pieces as they come."""
        if self._settings.encoder:
            raise BadRequest("This model encodes text; it does not write any.", "model")
        server = self._ready()
        chat = not isinstance(call.prompt, str)
        handle = server.handle_chat_completions if chat else server.handle_completions
        body = body_of(call)
        work = self._begin(lambda told: handle(body, told))
        try:
            async for chunk in work.chunks(call.timeout_s):
                if error := error_of(chunk):
                    raise error
                piece = piece_of(chunk)
                if piece is not None:
                    yield piece
        finally:
            work.end()

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        """The sum over each text's tokens' log-probabilities; texts are cut into tokens alone."""
        server = self._ready()
        work = self._begin(
            lambda told: [self._score(server, prompt, text, told) for text in continuations]
        )
        try:
            scores: list[float] = await work.ended()
            return scores
        finally:
            work.end()

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        """A vector for each text; no prefix is known for GGUF files, whatever the purpose."""
        if not self._settings.encoder:
            raise BadRequest("This model writes text; it is no encoder.", "model")
        server = self._ready()
        work = self._begin(lambda _told: self._embed(server, texts))
        found = await work.ended()
        vectors = [each["embedding"] for each in found["data"]]
        return Embedded(vectors, int(found["usage"]["prompt_tokens"]))

    def _ready(self) -> Any:
        if self._server is None:
            raise EngineFailed("The model is not loaded.")
        return self._server

    def _begin(self, does: Callable[[Callable[[Any], bool]], Any]) -> _Work:
        work = _Work(asyncio.get_running_loop(), self._pool, does)
        self._calls.add(work)
        work.future.add_done_callback(lambda _future: self._calls.discard(work))
        return work

    async def _in_thread[T](self, does: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, does)

    def _open(self) -> Any:
        header = read_header(self._path)
        try:
            check_fitness(header, self._settings.architecture)
        except BadFile as error:
            raise BadFile(f"{self._path.name} is not loaded: {error}") from error
        # Its threads would spin while they wait, and starve whatever else the machine does.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        # Native, and large: imported where a model is loaded.
        try:
            import xllamacpp  # noqa: PLC0415
        except ImportError as error:
            raise EngineFailed(f"llama.cpp is not installed. {INSTALL}") from error

        settings, params = self._settings, xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.n_ctx = settings.context * settings.at_once
        params.n_parallel = settings.at_once
        # An encoder sees a text as a whole.
        step = settings.context if settings.encoder else STEP_TOKENS
        params.n_batch = params.n_ubatch = step
        for each in (params.cpuparams, params.cpuparams_batch):
            each.n_threads = settings.threads
        params.api_keys = [self._key]
        params.verbosity = _QUIET
        params.ui = params.endpoint_slots = params.warmup = params.kv_unified = False
        params.cache_ram_mib = 0
        if settings.encoder:
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        try:
            server = xllamacpp.Server(params)
            self._settle(server)
        except RuntimeError as error:
            raise EngineFailed(f"llama.cpp does not load {self._path.name}: {error}") from error
        return server

    def _settle(self, server: Any) -> None:
        """Have it do a little: one that is let go of before its loop runs waits for it for ever."""
        if self._settings.encoder:
            server.handle_embeddings({"input": ["."]})
        else:
            server.handle_completions({"prompt": ".", "n_predict": 1})

    def _embed(self, server: Any, texts: Sequence[str]) -> Any:
        found = server.handle_embeddings({"input": list(texts)})
        if error := error_of(found):
            longest = max(len(self._tokens(server, text)) for text in texts)
            if longest > self._settings.context:
                raise Overflow(longest, self._settings.context) from error
            raise error
        return found

    def _score(self, server: Any, prompt: str, text: str, told: Callable[[Any], bool]) -> float:
        tokens, total = self._tokens(server, prompt), 0.0
        for token in self._tokens(server, text):
            if told(None):
                raise EngineFailed("The model was unloaded.")
            reply = server.handle_completions(
                {
                    "prompt": tokens,
                    "max_tokens": 1,
                    "temperature": 0,
                    "logprobs": 1,
                    "logit_bias": [[token, FORCED]],
                    "cache_prompt": True,
                }
            )
            if error := error_of(reply):
                raise error
            (chosen,) = reply["choices"][0]["logprobs"]["content"]
            if chosen["id"] != token or not math.isfinite(chosen["logprob"]):
                raise EngineFailed("llama.cpp did not score the token that it was given.")
            total += chosen["logprob"]
            tokens = [*tokens, token]
        return total

    def _tokens(self, server: Any, text: str) -> list[int]:
        host, port = server.listening_address.removeprefix("http://").rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            body = json.dumps({"content": text})
            headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
            connection.request("POST", "/tokenize", body, headers)
            tokens: list[int] = json.loads(connection.getresponse().read())["tokens"]
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            raise EngineFailed(f"llama.cpp does not count tokens: {error}") from error
        finally:
            connection.close()
        return tokens


class _Work:
    """What one call does in its thread, and the way to end it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pool: ThreadPoolExecutor,
        does: Callable[[Callable[[Any], bool]], Any],
    ) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._unwanted = threading.Event()
        self.future = loop.run_in_executor(pool, does, self._told)
        self.future.add_done_callback(self._done)

    def end(self) -> None:
        """End it at the next token or step."""
        self._unwanted.set()

    async def ended(self) -> Any:
        """What it gave."""
        return await asyncio.shield(self.future)

    async def chunks(self, timeout_s: float) -> AsyncIterator[Any]:
        """What it tells, until it has ended. Raises `TooLate` after so many seconds."""
        due = self._loop.time() + timeout_s
        while True:
            try:
                async with asyncio.timeout_at(due):
                    chunk = await self._queue.get()
            except TimeoutError as error:
                raise TooLate(f"The model took longer than {timeout_s:g} s.") from error
            if chunk is _END:
                return
            yield chunk

    def _told(self, chunk: Any) -> bool:
        """Called in the thread; True asks llama.cpp to stop."""
        if chunk is not None:
            try:
                self._loop.call_soon_threadsafe(self._queue.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: nobody is there to hear it
                return True
        return self._unwanted.is_set()

    def _done(self, future: asyncio.Future[Any]) -> None:
        failed = None if future.cancelled() else future.exception()
        if failed is not None:
            self._queue.put_nowait({"error": {"message": str(failed)}})
        elif self._unwanted.is_set():
            self._queue.put_nowait({"error": {"message": "The model was unloaded."}})
        self._queue.put_nowait(_END)


class _Dropping:
    """Holds the last reference to something, and lets go of it when called."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __call__(self) -> None:
        self._held = None


_END: Final = object()
