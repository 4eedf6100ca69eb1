"""The weights of the confidence. Written by `python -m models.confidence.fit`: do not edit."""

from typing import Final

from core.confidence.estimate import Fitted

FITTED: Final = Fitted(
    bias=-1.3915,
    weights={
        "copied": 0.9314,
        "exact": 0.4855,
        "close": 1.5529,
        "aligned": 1.1408,
        "verdict": 0.2633,
        "beyond": 2.827,
        "new_number": -2.1349,
        "new_name": -0.4768,
        "new_link": -1.0529,
        "asked_gap": -2.913,
        "rival": -2.3541,
        "passage_gap": -12.3736,
        "affirmed": -2.2967,
        "denied": -0.582,
        "missing_number": -1.6211,
        "wrong_kind": -2.0706,
        "hedged": -1.5767,
        "refused": -0.5646,
        "across": 0.8031,
    },
)
