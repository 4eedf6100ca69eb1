"""How the next token is drawn."""

from typing import Any

import numpy as np
import pytest

from models.decoder.sampling import Choosing, choose

LOGITS = np.log(np.array([0.5, 0.25, 0.15, 0.1], np.float32))
ROWS = 4_000


def by(rows: int = ROWS, **changed: Any) -> Choosing:
    """Rows with seeds of their own."""
    said = {"temperature": 1.0, "top_p": 1.0, "top_k": 4, "repetition": 1.0}
    said |= {"presence": 0.0, "frequency": 0.0, "position": 5, **changed}
    columns = {
        name: np.full(rows, value, np.int32 if name in ("top_k", "position") else np.float32)
        for name, value in said.items()
    }
    counts = np.zeros((rows, 4), np.int32)
    return Choosing(seed=np.arange(rows, dtype=np.uint32), prompted=counts, said=counts, **columns)


def shares(asked: Choosing) -> Any:
    """How often each token came."""
    logits = np.tile(LOGITS, (len(asked.seed), 1))
    tokens = np.asarray(choose(logits, asked, sampled=True, told=False).tokens)
    return np.bincount(tokens, minlength=4) / len(tokens)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, [0.5, 0.25, 0.15, 0.1]),
        ({"temperature": 0.5}, [0.725, 0.181, 0.065, 0.029]),
        ({"top_k": 2}, [0.667, 0.333, 0, 0]),
        ({"top_p": 0.7}, [0.667, 0.333, 0, 0]),
        ({"top_p": 0.76}, [0.556, 0.278, 0.167, 0]),
        ({"top_p": 1e-9}, [1, 0, 0, 0]),
        ({"temperature": 0.0}, [1, 0, 0, 0]),
    ],
)
def test_tokens_come_as_often_as_they_should(changed: dict[str, Any], wanted: list[float]) -> None:
    np.testing.assert_allclose(shares(by(**changed)), np.array(wanted), atol=0.03, rtol=0)


@pytest.mark.parametrize(
    ("changed", "penalised"),
    [
        # Logits of log(p) are negative: dividing them is multiplying.
        ({"repetition": 2.0}, [2.0, 2.0, 1.0, 1.0]),
        ({"presence": 1.5}, [0, -1.5, 0, 0]),
        ({"frequency": 0.7}, [0, -1.4, 0, 0]),
    ],
)
def test_penalties_weigh_what_was_said(changed: dict[str, Any], penalised: list[float]) -> None:
    prompted, said = (np.tile(np.array(each), (ROWS, 1)) for each in ([1, 0, 0, 0], [0, 2, 0, 0]))
    asked = by(**changed)._replace(prompted=prompted, said=said)
    logits = LOGITS * penalised if "repetition" in changed else LOGITS + np.array(penalised)
    wanted = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(shares(asked), wanted, atol=0.03, rtol=0)


def test_a_draw_depends_on_the_rows_own_seed_and_position() -> None:
    def drawn(asked: Choosing) -> list[int]:
        logits = np.tile(LOGITS, (len(asked.seed), 1))
        found: list[int] = choose(logits, asked, sampled=True, told=False).tokens.tolist()
        return found

    assert drawn(by(3)) == drawn(by(50))[:3]
    assert drawn(by(50)) != drawn(by(50, position=6))


def test_likelihoods_are_the_models_own_whatever_is_drawn() -> None:
    logits = np.tile(np.linspace(0, 3, 30, dtype=np.float32), (2, 1))
    counts = np.zeros((2, 1), np.int32)
    asked = by(2, temperature=1.0, top_k=30)._replace(prompted=counts, said=counts)
    chosen = choose(logits, asked, sampled=True, told=True)
    own = logits[0] - np.log(np.exp(logits[0]).sum())
    np.testing.assert_allclose(chosen.logprobs, own[np.asarray(chosen.tokens)], atol=1e-5)
    assert np.asarray(chosen.likeliest)[0].tolist() == list(range(29, 9, -1))
    np.testing.assert_allclose(chosen.likeliest_logprobs[0], own[::-1][:20], atol=1e-5)
