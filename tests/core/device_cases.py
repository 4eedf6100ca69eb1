"""Prompts and confidences of a few turns, for every Python that they are made in.

No test library is imported: Pyodide reads this too.
"""

from __future__ import annotations

import json
from pkgutil import get_data

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.device import FILE, DeviceScorer, Ground, Written, read_weights
from core.messages import MemoryTurn
from core.prompting.compose import Asked, Window, compose
from core.prompting.quoting import entry_text
from core.prompting.template import DEVICE
from core.risk import FILE as TOPICS
from core.risk import read_topics
from kb import Entry

ENTRIES = (
    Entry("returns", "en", "How do I return an order?", "Within 30 days, with the label."),
    Entry("envio", "es", "¿Cuánto tarda el envío?", "Dos días laborables."),
    Entry("hours", "he", "מתי אתם פתוחים?", "בימים א עד ה, משמונה עד שש."),
)
QUESTIONS = (
    ("en", "and how many days is that?"),
    ("es", "¿y cuántos días? mi tarjeta es 4111 1111 1111 1111"),
    ("he", "ומתי בדיוק?"),
)
REPLIES = (
    Written("You have 30 days.", (-0.1, -0.2, -0.3)),
    Written("Son dos días laborables."),
    Written("I do not know."),
    Written("It costs 99 euros. It costs 99 euros. It costs 99 euros.", (-2.0, -0.1), cut=True),
)
TURNS = tuple(
    MemoryTurn("assistant" if at % 2 else "user", f"Line {at} about days and labels.")
    for at in range(24)
)


def outcomes_json() -> str:
    """What this Python makes of every turn, in order; probabilities to six places."""
    weights = read_weights((get_data("core", FILE) or b"").decode())
    scorer = DeviceScorer(Scorer(Closeness(None), FITTED), weights)
    topics = read_topics((get_data("core", TOPICS) or b"").decode())
    passages = [entry_text(entry) for entry in ENTRIES]
    ground = Ground(passages, 0.4, 0.3, ENTRIES[0].answer)
    told: list[object] = []
    for locale, question in QUESTIONS:
        asked = Asked("Shop", question, locale, ENTRIES, TURNS)
        made = compose(asked, DEVICE, Window(512, 96))
        told += [list(made.prompt.messages), made.tokens, topics.found(question)]
        told += [round(scorer.confidence(question, ground, written), 6) for written in REPLIES]
    return json.dumps(told)
