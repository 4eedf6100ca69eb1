"""What llama.cpp says, and what it must not be believed to say."""

import pytest

from models.engines.dialect import body_of, error_of, piece_of
from models.engines.protocol import Call, Message, Sampling
from models.errors import BadRequest, EngineFailed, Overflow, UnknownAdapter


def test_a_request_holds_what_was_asked_and_no_more() -> None:
    sampling = Sampling(5, temperature=0.5, stop=("a",))
    body = body_of(Call((Message("user", "Hi"),), sampling, 1))
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert (body["max_tokens"], body["temperature"], body["stop"]) == (5, 0.5, ["a"])
    assert not {"seed", "logprobs", "prompt", "top_k", "repeat_penalty"} & set(body)
    seeded = body_of(Call("Hi", Sampling(5, seed=3, logprobs=0), 1))
    assert (seeded["prompt"], seeded["seed"], seeded["logprobs"]) == ("Hi", 3, 1)
    narrowed = body_of(Call("Hi", Sampling(5, top_k=4, repetition_penalty=1.5), 1))
    assert (narrowed["top_k"], narrowed["repeat_penalty"]) == (4, 1.5)


def test_adapters_are_not_passed_over() -> None:
    with pytest.raises(UnknownAdapter, match="--engine jax"):
        body_of(Call("Hi", Sampling(5), 1, (("mine", 1.0),)))


def test_progress_is_no_piece() -> None:
    assert piece_of({"choices": [{"delta": {"role": "assistant", "content": None}}]}) is None
    assert piece_of({"choices": []}) is None


@pytest.mark.parametrize("chunk", [{}, [], {"choices": [3]}, {"choices": [], "usage": {"a": 1}}])
def test_another_dialect_is_refused(chunk: object) -> None:
    with pytest.raises(EngineFailed, match="something else"):
        piece_of(chunk)


def test_errors_are_told_apart() -> None:
    assert error_of({"choices": []}) is None
    overflow = {"type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 4}
    assert isinstance(error_of({"error": overflow}), Overflow)
    assert isinstance(error_of({"error": {"code": 400, "message": "no"}}), BadRequest)
    assert str(error_of({"error": {"code": 500, "message": "no"}})) == "no"
