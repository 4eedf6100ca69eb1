"""What a batch tells of its jobs, and what becomes of those that come too late."""

import queue
import threading
from collections.abc import Callable

import pytest

from models.decoder.batch import BROKEN, Batch
from models.decoder.decoder import Decoder
from models.decoder.jobs import Ended, Failed, Generation, Token, Told
from models.engines.protocol import Sampling
from models.errors import EngineFailed

PROMPT = list(b"Once upon a time")


def generation(
    told: Callable[[Told], None], *, max_tokens: int = 5, logprobs: int | None = None
) -> Generation:
    return Generation(PROMPT, {}, told, sampling=Sampling(max_tokens, logprobs=logprobs), seed=0)


def heard(batch: Batch, **asked: int) -> list[Told]:
    """All that is told of a generation, up to its end."""
    told: queue.Queue[Told] = queue.Queue()
    batch.add(generation(told.put, **asked))
    found = [told.get(timeout=60)]
    while isinstance(found[-1], Token):
        found.append(told.get(timeout=60))
    return found


def test_a_token_that_ends_replies_is_counted_and_not_told(decoder: Decoder) -> None:
    batch = Batch(decoder, frozenset())
    *tokens, last = heard(batch)
    batch.close()
    assert last == Ended("length", 5)
    third = tokens[2]
    assert isinstance(third, Token)
    decoder.clear()
    ended = Batch(decoder, frozenset({third.token}))
    *fewer, last = heard(ended)
    ended.close()
    first = next(at for at, each in enumerate(tokens) if each == third)
    assert fewer == tokens[:first]
    assert last == Ended("stop", first + 1)


def test_what_comes_after_the_end_is_refused(decoder: Decoder) -> None:
    batch = Batch(decoder, frozenset())
    batch.close()
    assert heard(batch) == [Failed("The model was unloaded.")]
    with pytest.raises(EngineFailed, match="unloaded"):
        batch.between(lambda: None).result(1)


def test_a_decoder_that_fails_and_does_not_begin_anew_ends_the_batch_and_tells_all(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **_more: object) -> None:
        raise RuntimeError("RESOURCE_EXHAUSTED")

    batch = Batch(decoder, frozenset())
    monkeypatch.setattr(Decoder, "advance", fails)
    first = heard(batch)[-1]
    assert first == Failed("JAX failed: RESOURCE_EXHAUSTED")
    states = [batch.open]
    monkeypatch.setattr(Decoder, "clear", fails)
    assert heard(batch)[-1] == first
    batch._thread.join(60)
    assert [*states, batch.open] == [True, False]
    assert heard(batch) == [Failed(BROKEN)]
    with pytest.raises(EngineFailed, match="loaded anew"):
        batch.between(lambda: None).result(1)
    batch.close()


def test_what_waits_for_a_step_to_end_is_refused_where_that_was_the_last(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    advance = Decoder.advance

    def slow(*arguments: object) -> None:
        begun.set()
        go_on.wait(60)
        advance(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Decoder, "advance", slow)
    batch = Batch(decoder, frozenset())
    batch.add(generation(lambda _told: None))
    assert begun.wait(60)
    chore = batch.between(lambda: None)
    closing = threading.Thread(target=batch.close)
    closing.start()
    while not batch._closing:
        closing.join(0.01)
    go_on.set()
    closing.join(60)
    with pytest.raises(EngineFailed, match="unloaded"):
        chore.result(1)
