"""How hard a question is, by seven factors of its text.

Decides the factors, each in [0, 1], and what they count: length, vocabulary diversity, syntactic
depth, domain specificity, ambiguity, code density and the chain of reasoning that is asked for. It
knows nothing of what is asked, only of how.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kb.features import STOP_STEMS
from kb.normalise import stem, words

WEIGHTS: Final = {
    "length": 0.22,
    "diversity": 0.08,
    "depth": 0.15,
    "specificity": 0.1,
    "ambiguity": 0.05,
    "code": 0.15,
    "reasoning": 0.25,
}
LONG: Final = 80
"""Words from which a question is as long as counts."""
LONG_WORD: Final = 9
"""Letters from which a word is more often a term than not."""

_SUBORDINATE: Final = frozenset(
    words(
        """that which because although while if unless whether since whereas so
        que porque aunque mientras si cuando donde como cual
        כי אשר אם למרות בגלל כאשר בזמן כדי"""
    )
)
_VAGUE: Final = frozenset(
    words(
        """it this that these those thing things something stuff they there
        esto eso aquello algo cosa cosas ello זה זאת זו משהו הזה הזאת דבר"""
    )
)
_CHAIN: Final = re.compile(
    r"(?i)\b(?:first|second|then|finally|afterwards|step(?: \d+)?|why|because|therefore"
    r"|compare|explain|analy[sz]e|design|prove|derive|calculate|evaluate|difference|primero|segundo|luego"
    r"|despu[eé]s|finalmente|paso"
    r"|por qu[eé]|compara|explica|analiza|dise[ñn]a|demuestra|calcula|eval[uú]a|diferencia)\b"
    r"|קודם|אחר כך|לבסוף|שלב|למה|מדוע|השווה|הסבר|נתח|הוכח|חשב|ההבדל"
)
_CODE: Final = re.compile(r"[{}\[\]();=<>|&#$\\`]|\b\w+\(\)|\b\w+_\w+\b|->|::")
_FENCE: Final = "```"


def factors(text: str) -> dict[str, float]:
    """Every factor of a text, by name."""
    spoken = words(text)
    count = len(spoken)
    if not count:
        return dict.fromkeys(WEIGHTS, 0.0)
    telling = [word for word in spoken if stem(word) not in STOP_STEMS]
    links = sum(word in _SUBORDINATE for word in spoken) + len(re.findall(r"[,;:(]", text))
    signs = len(_CODE.findall(text))
    return {
        "length": min(1.0, count / LONG),
        "diversity": len(set(spoken)) / count * min(1.0, count / 20),
        "depth": min(1.0, links / 8),
        "specificity": sum(len(word) >= LONG_WORD for word in telling) / max(1, len(telling)),
        "ambiguity": min(1.0, 3 * sum(word in _VAGUE for word in spoken) / count),
        "code": 1.0 if _FENCE in text else min(1.0, 4 * signs / (count + signs)),
        "reasoning": min(1.0, len(_CHAIN.findall(text)) / 3),
    }


def complexity(found: Mapping[str, float]) -> float:
    """What the factors come to, in [0, 1]."""
    return round(min(1.0, sum(WEIGHTS[name] * value for name, value in found.items())), 4)
