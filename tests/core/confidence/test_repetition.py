"""Replies that go round in circles, and those that only say some of it twice."""

from __future__ import annotations

import pytest

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.repetition import goes_round

LOOP = "El chat es el código de la página, que se encuentra en el códado de la página. "
LIST = (
    "You can pay by card, by bank transfer or in cash. You can send it back within 30 days. "
    "You can ask for another size. You can collect it at the shop in Harbour Street. "
    "You can ask a person, who answers on weekdays between nine and five."
)


@pytest.mark.parametrize(
    ("reply", "round_"),
    [
        (LOOP * 4, True),
        ("Puede.\n\n" * 40, True),
        (f"{LIST} " + "The message is sent to the server. " * 20, True),
        (LIST, False),
        ("The capital of France is Paris.\n\nThe answer is:\nParis", False),
        ("no no no no no no", False),
        ("", False),
    ],
)
def test_only_what_goes_round_goes_round(reply: str, round_: bool) -> None:
    assert goes_round(reply) is round_


def test_a_reply_that_goes_round_is_no_answer_however_grounded_it_looks() -> None:
    scorer = Scorer(Closeness(None), FITTED)
    passage = "Where does the chat run?\nThe chat runs in the page, in the visitor's own browser."
    once = "The chat runs in the page, in the visitor's own browser."
    assert scorer.look("where does the chat run?", [passage], once).confidence > 0.55
    look = scorer.look("where does the chat run?", [passage], f"{once} " * 8)
    assert look.confidence == 0.0
