"""Many conversations in one pass: rows join and leave between two steps.

Decides what a step is: one piece of one prompt, then one token for every row that is ready. A long
prompt so holds others up for a piece at a time, and a row that ends makes room at once. One thread
does it all; jobs come in by a lock, and tell from that thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.decoder.decoder import Decoder
from models.decoder.jobs import Ended, Failed, Generation, Job, Token
from models.decoder.sampling import Choosing, Chosen
from models.errors import EngineFailed

UNLOADED: Final = "The model was unloaded."
BROKEN: Final = "JAX failed, and gave no new cache: the model must be loaded anew."


@dataclass(slots=True)
class _Row:
    """A job in its row: `reading` until its prompt is read, and then at the position `at`."""

    place: int
    job: Job
    reading: Iterator[None]
    at: int = 0
    said: int = 0
    ready: bool = False


class Batch:
    """Runs jobs on a decoder; `ends` are the tokens after which a reply is over."""

    def __init__(self, decoder: Decoder, ends: frozenset[int]) -> None:
        self._decoder = decoder
        self._ends = ends
        self._rows: dict[int, _Row] = {}
        self._waiting: deque[Job] = deque()
        self._chores: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._counts = np.zeros((2, decoder.rows, decoder.shape.vocabulary), np.int32)
        self._changed = threading.Condition()
        self._closing = ""
        self._thread = threading.Thread(target=self._run, name="decoder", daemon=True)
        self._thread.start()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What waits and runs."""
        with self._changed:
            return (*self._waiting, *(row.job for row in self._rows.values()))

    @property
    def open(self) -> bool:
        """Whether jobs are taken: not after its end, nor where the decoder is beyond use."""
        return not self._closing

    def add(self, job: Job) -> None:
        """Take a job; it waits until there is a row."""
        with self._changed:
            if self._closing:
                job.told(Failed(self._closing))
                return
            self._waiting.append(job)
            self._changed.notify()

    def between(self, does: Callable[[], object]) -> Future[object]:
        """Do something between two steps, when no pass looks at the decoder."""
        future: Future[object] = Future()
        with self._changed:
            if self._closing:
                future.set_exception(EngineFailed(self._closing))
            else:
                self._chores.append((does, future))
                self._changed.notify()
        return future

    def close(self) -> None:
        """End what runs after its step, tell it so, and wait for that."""
        with self._changed:
            self._closing = self._closing or UNLOADED
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._admitted():
            try:
                self._step()
            # Whatever XLA says, rows are told, and the next ones begin with a cache that is whole.
            except Exception as error:  # noqa: BLE001
                self._fail(f"JAX failed: {error}")
                self._begin_anew()
        self._fail(self._closing)

    def _begin_anew(self) -> None:
        try:
            self._decoder.clear()
        # A device without memory has none for a new cache either. Nothing goes on without one.
        except Exception:  # noqa: BLE001
            with self._changed:
                self._closing = BROKEN

    def _admitted(self) -> bool:
        """Wait for something to do, and let jobs in; False when it is over."""
        with self._changed:
            while not (self._waiting or self._rows or self._chores or self._closing):
                self._changed.wait()
            if self._closing:
                return False
            while self._chores:
                _settle(*self._chores.popleft())
            for row in [row for row in self._rows.values() if row.job.unwanted]:
                del self._rows[row.place]
            free = [at for at in range(self._decoder.rows) if at not in self._rows]
            while self._waiting and free:
                job = self._waiting.popleft()
                if not job.unwanted:
                    place = free.pop(0)
                    self._rows[place] = _Row(place, job, job.read(self._decoder, place))
            return True

    def _step(self) -> None:
        reading = next((row for row in self._rows.values() if not row.ready), None)
        if reading is not None:
            self._read(reading)
        ready = [row for row in self._rows.values() if row.ready]
        if ready:
            self._go_on(ready, self._chosen(ready))

    def _read(self, row: _Row) -> None:
        try:
            next(row.reading)
            # Last in turn, so that two long prompts are read by turns.
            with self._changed:
                self._rows[row.place] = self._rows.pop(row.place)
        except StopIteration:
            if not isinstance(row.job, Generation):
                self._leave(row)
                return
            row.ready, row.at = True, len(row.job.prompt)
            self._counts[:, row.place] = 0
            np.add.at(self._counts[0, row.place], np.asarray(row.job.prompt), 1)

    def _chosen(self, ready: list[_Row]) -> Chosen:
        jobs = [(row, row.job) for row in ready if isinstance(row.job, Generation)]
        columns = np.ones((5, self._decoder.rows), np.float32)
        top_k = np.full(self._decoder.rows, self._decoder.shape.vocabulary, np.int32)
        seeds = np.zeros(self._decoder.rows, np.uint32)
        positions = np.zeros(self._decoder.rows, np.int32)
        sampled = penalised = told = False
        for row, job in jobs:
            by = job.sampling
            columns[:, row.place] = (
                by.temperature, by.top_p, by.repetition_penalty,
                by.presence_penalty, by.frequency_penalty,
            )  # fmt: skip
            if by.top_k:
                top_k[row.place] = by.top_k
            seeds[row.place], positions[row.place] = job.seed, row.at
            own = by.presence_penalty or by.frequency_penalty or by.repetition_penalty != 1
            penalised |= bool(own)
            sampled |= bool(own) or by.temperature > 0
            told |= by.logprobs is not None
        # Counts are large: they go to the device only where somebody needs them.
        counts = self._counts if penalised else self._counts[:, :, :1] * 0
        temperature, top_p, repetition, presence, frequency = columns
        choosing = Choosing(
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            repetition=repetition,
            presence=presence,
            frequency=frequency,
            seed=seeds,
            position=positions,
            prompted=counts[0],
            said=counts[1],
        )
        return self._decoder.choose(choosing, sampled=sampled, told=told)

    def _go_on(self, ready: list[_Row], chosen: Chosen) -> None:
        tokens = [0] * self._decoder.rows
        positions = [self._decoder.context] * self._decoder.rows
        for row in ready:
            token = int(chosen.tokens[row.place])
            if self._tell(row, token, chosen):
                self._leave(row)
            else:
                tokens[row.place], positions[row.place] = token, row.at
                row.at += 1
        if any(at < self._decoder.context for at in positions):
            adapters = [
                self._rows[at].job.adapters if positions[at] < self._decoder.context else {}
                for at in range(self._decoder.rows)
            ]
            self._decoder.advance(tokens, positions, adapters)

    def _tell(self, row: _Row, token: int, chosen: Chosen) -> bool:
        """Tell of a token; True where the reply ends with it."""
        job = row.job
        assert isinstance(job, Generation)  # noqa: S101 - no other is ever ready
        row.said += 1
        if token in self._ends:
            job.told(Ended("stop", row.said))
            return True
        self._counts[1, row.place, token] += 1
        wanted = job.sampling.logprobs or 0
        pairs = zip(
            chosen.likeliest[row.place, :wanted].tolist(),
            chosen.likeliest_logprobs[row.place, :wanted].tolist(),
            strict=True,
        )
        job.told(Token(token, float(chosen.logprobs[row.place]), tuple(pairs)))
        if row.said >= job.sampling.max_tokens or row.at >= self._decoder.context:
            job.told(Ended("length", row.said))
            return True
        return False

    def _leave(self, row: _Row) -> None:
        with self._changed:
            del self._rows[row.place]

    def _fail(self, message: str) -> None:
        with self._changed:
            jobs = [row.job for row in self._rows.values()]
            self._rows.clear()
            if self._closing:
                jobs += self._waiting
                self._waiting.clear()
                for _, future in self._chores:
                    future.set_exception(EngineFailed(message))
                self._chores.clear()
        for job in jobs:
            job.told(Failed(message))


def _settle(does: Callable[[], object], future: Future[object]) -> None:
    try:
        future.set_result(does())
    except Exception as error:  # noqa: BLE001 - whoever asked hears it
        future.set_exception(error)
