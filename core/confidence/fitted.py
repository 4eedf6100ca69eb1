"""The weights of the confidence. Written by `python -m models.confidence.fit`: do not edit."""

from typing import Final

from core.confidence.estimate import Fitted

FITTED: Final = Fitted(
    bias=-1.3998,
    weights={
        "copied": 0.9355,
        "exact": 0.487,
        "close": 1.5402,
        "aligned": 1.1389,
        "verdict": 0.3135,
        "beyond": 2.8234,
        "new_number": -2.1304,
        "new_name": -0.4604,
        "new_link": -1.0525,
        "asked_gap": -2.9119,
        "rival": -2.3492,
        "passage_gap": -12.3618,
        "affirmed": -2.2188,
        "denied": -0.5648,
        "missing_number": -1.6158,
        "wrong_kind": -2.0621,
        "hedged": -1.5737,
        "refused": -0.5589,
        "across": 0.8022,
    },
)
