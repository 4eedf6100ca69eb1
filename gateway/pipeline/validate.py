"""What a reply must never hold: marks of the prompt, a new role, a payload, a canary.

Decides whether a finished reply may be shown, and names what was found. A mark or a payload that
the passages have word for word is quoted by the reply, and passes: a site may well explain a script
tag. It does not judge whether the reply is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from kb.normalise import words

ECHO: Final = 12
"""So many words in a row of the instructions are no coincidence."""
SHORT: Final = 6
"""A reply of so few words with a taunt in it says nothing else."""
_INSTRUCTIONS: Final = 64
"""Instructions whose words are kept: one for each site, task and language that is asked."""

_TAGS: Final = re.compile(
    r"</?(?:system|passage|answered|earlier|part|instructions?|assistant|user|tool|context|memory)\b[^>]{0,40}>"
    r"|<\|[a-z_]{2,24}\|>|\[/?INST\]|<</?SYS>>|^#{1,3} ?(?:system|instruction)s?\s*:?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_ROLES: Final = re.compile(
    r"\bi am now (?:an? |the |in |your |free|un)|\bfrom now on,? i (?:am|will (?:act|speak|be))\b"
    r"|\bas requested,? i will\b|\bin (?:pirate|evil|developer|dan) (?:voice|mode)\b"
    r"|\b(?:ignoring|i (?:will|shall) ignore|i have ignored) (?:all )?(?:my |the |your )?"
    r"(?:previous |earlier |prior )?(?:instructions|rules)|\bmy (?:new role|system prompt) is\b"
    r"|\bahora soy (?:un|una|tu|el|la)\b|\ba partir de ahora (?:soy|ser[eé]|actuar[eé])\b"
    r"|\bignor(?:o|ar[eé]|ando) (?:todas )?(?:mis|las|tus) instrucciones\b"
    r"|מעכשיו אני|אני עכשיו (?:עוזר|פיראט|בוט)"
    r"|(?:א|מ)תעלם מ(?:כל )?(?:ה)?הוראות",
    re.IGNORECASE,
)
_PAYLOADS: Final = re.compile(
    r"<\s*(?:script|iframe|object|embed|svg|form|meta|base)\b[^>]{0,200}|\bjavascript\s*:\S{0,80}"
    r"|\bdata:text/html\S{0,80}|<[a-z]+[^>]{0,120}\bon[a-z]{3,16}\s*=|!\[[^\]]{0,200}\]\(\s*https?:[^)]{0,400}",
    re.IGNORECASE,
)
_TAUNTS: Final = re.compile(r"\b(?:hack(?:ed)?|pwned|jailbroken)\b", re.IGNORECASE)


def flaws(
    reply: str,
    passages: Sequence[str] = (),
    instructions: str = "",
    canaries: Iterable[str] = (),
) -> tuple[str, ...]:
    """The names of what a reply holds and must not: `tag`, `role`, `payload`, `echo`, `canary`,
    `taunt`; none where it may be shown.

    `instructions` is what the model was told, without the passages; `canaries` are words that were
    put there to be seen if they come out.
    """
    known = _squeezed(" ".join(passages))
    found = {
        "tag": _new(_TAGS, reply, known),
        "role": _new(_ROLES, reply, known),
        "payload": _new(_PAYLOADS, reply, known),
        "echo": _echoes(reply, instructions),
        "canary": any(_squeezed(each) in _squeezed(reply) for each in canaries if each.strip()),
        "taunt": _taunts(reply, known),
    }
    return tuple(name for name, is_there in found.items() if is_there)


def _new(pattern: re.Pattern[str], reply: str, known: str) -> bool:
    return any(_squeezed(match.group()) not in known for match in pattern.finditer(reply))


def _squeezed(text: str) -> str:
    """A text without case and space, so that neither hides what stands in it."""
    return "".join(text.casefold().split())


def _echoes(reply: str, instructions: str) -> bool:
    runs, said = _runs(instructions), words(reply)
    return any(tuple(said[at : at + ECHO]) in runs for at in range(len(said) - ECHO + 1))


@lru_cache(_INSTRUCTIONS)
def _runs(instructions: str) -> frozenset[tuple[str, ...]]:
    """What an echo would have of these; they are the same from turn to turn."""
    told = words(instructions)
    return frozenset(tuple(told[at : at + ECHO]) for at in range(len(told) - ECHO + 1))


def _taunts(reply: str, known: str) -> bool:
    last = reply.strip().splitlines()[-1] if reply.strip() else ""
    return any(
        len(words(last)) <= SHORT and _squeezed(match.group()) not in known
        for match in _TAUNTS.finditer(last)
    )
