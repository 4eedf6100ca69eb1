"""What a prompt looks like, apart from what it is about.

Decides the numbers: how long it is and its parts are, how many figures, signs and choices it has.
A prompt that offers choices is of another form than one that does not: how hard the two are is told
by other numbers, so that each form is learnt by itself.
"""

from __future__ import annotations

import re
from math import log1p
from typing import Final

from kb.normalise import words

_FIGURE: Final = re.compile(r"\d+(?:[.,]\d+)*")
_CHOICE: Final = re.compile(r"^\(?[A-Da-d1-4][.)] (.*)$", re.MULTILINE)
_SIGN: Final = re.compile(r"[=+*/^<>√∫]")
_PARTS: Final = re.compile(r"\b(?:half|twice|times|third|quarter)\b")
_SUPPOSED: Final = re.compile(r"\b(?:if|then|suppose|let)\b", re.IGNORECASE)
_DENIED: Final = re.compile(r"\b(?:not|except)\b", re.IGNORECASE)
_CAPITAL: Final = re.compile(r"[A-Z]")


def offers_choices(prompt: str) -> bool:
    """Whether the prompt lists what may be answered."""
    return len(_CHOICE.findall(prompt)) >= 2


def without_choices(prompt: str) -> str:
    """The prompt up to the first choice that it offers; all of it where it offers none."""
    first = _CHOICE.search(prompt)
    return prompt[: first.start()] if first else prompt


def shape(prompt: str) -> list[float]:
    """The numbers of a prompt."""
    spoken = words(prompt)
    count = len(spoken) + 1
    choices = [len(choice) for choice in _CHOICE.findall(prompt)] or [0]
    stem = without_choices(prompt)
    figures = len(_FIGURE.findall(prompt))
    return [
        log1p(len(prompt)),
        log1p(len(stem)),
        log1p(sum(choices) / len(choices)),
        log1p(max(choices)),
        log1p(min(choices)),
        figures / count,
        log1p(figures),
        len(set(spoken)) / count,
        sum(map(len, spoken)) / count,
        float(prompt.count("$")),
        log1p(prompt.count(".")),
        log1p(prompt.count(",")),
        float(prompt.count("?")),
        10 * len(_SIGN.findall(prompt)) / (len(prompt) + 1),
        float("%" in prompt),
        float("Statement" in prompt),
        float(bool(_DENIED.search(prompt))),
        float("_" in prompt),
        float(bool(_PARTS.search(prompt))),
        float(bool(_SUPPOSED.search(prompt))),
        10 * len(_CAPITAL.findall(stem)) / (len(stem) + 1),
    ]
