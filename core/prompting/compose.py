"""A prompt that fits: template, passages, a summary of older turns, the last turns, the question.

Decides what gets how much of the model's window, in this order: the instructions and the question
need theirs; passages may take three fifths of what is left; the last turns half of the rest; lines
of older turns what then remains. Everything of others is redacted before it is counted: no card
number, account number or secret reaches a prompt, and no visitor's e-mail or telephone number.
Refuses a window that does not hold the instructions and a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.messages import MemoryTurn
from core.ports import Prompt
from core.prompting.budget import MESSAGE, Count, cut, estimate
from core.prompting.distil import Embed, Kept, Line, distil
from core.prompting.quoting import entry_text, passage, spoken, unmarked
from core.prompting.template import Template
from core.redact import redact, redact_secrets
from kb import Entry

PASSAGES: Final = 4
PASSAGE_CHARACTERS: Final = 1_500
LAST_TURNS: Final = 6
QUESTION_SHARE: Final = 0.5
PASSAGE_SHARE: Final = 0.6
TURN_SHARE: Final = 0.5
SUMMARY_TOKENS: Final = 512
_LEAST: Final = 8
"""A passage or turn that is cut to fewer tokens says nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what may go into its prompt: entries best first, turns oldest first."""

    name: str
    question: str
    locale: str = ""
    entries: Sequence[Entry] = ()
    turns: Sequence[MemoryTurn] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A model's window in tokens, of which the reply may take some, and how tokens are counted."""

    tokens: int
    reply: int
    count: Count = estimate

    def cost(self, text: str) -> int:
        """What a message of this text takes."""
        return self.count(text) + MESSAGE


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt, and what of all that was offered is in it.

    `entries` are those whose passages are in it, in their order; `summary` the lines of older
    turns; `last` how many turns stand in it as they were said; `tokens` what it takes by count.
    """

    prompt: Prompt
    entries: tuple[Entry, ...]
    summary: tuple[Kept, ...]
    last: int
    tokens: int


def compose(
    asked: Asked, template: Template, window: Window, embed: Embed | None = None
) -> Composed:
    """The prompt for a question. Raises `ValueError` where the window cannot hold one."""
    system = template.filled(template.system, name=asked.name, locale=asked.locale)
    nothing = template.filled(template.nothing, name=asked.name, locale=asked.locale)
    left = window.tokens - window.reply - window.cost(system + nothing) - MESSAGE
    question = cut(spoken(redact(asked.question)), int(QUESTION_SHARE * left), window.count)
    if left <= 0 or (asked.question.strip() and not question):
        raise ValueError(
            f"a window of {window.tokens} tokens cannot hold the template, a question and "
            f"{window.reply} tokens of reply"
        )
    left -= window.count(question)
    passages = _passages(asked.entries, int(PASSAGE_SHARE * left), window)
    left -= sum(window.count(text) + 1 for text in passages)
    turns = _redacted(asked.turns)
    last = _last(turns, int(TURN_SHARE * left), window)
    left -= sum(window.cost(turn.content) for turn in last)
    older = turns[: len(turns) - len(last)]
    heading = template.filled(template.earlier, name=asked.name, locale=asked.locale)
    summary = _summary(older, question, left - window.count(heading) - _LEAST, window, embed)
    parts = [system + ("\n".join(passages) or nothing)]
    if summary:
        lines = "\n".join(unmarked(line.shown) for line in summary)
        parts += ["", heading, "<earlier>", lines, "</earlier>"]
    messages = [{"role": "system", "content": "\n".join(parts)}]
    messages += [{"role": turn.role, "content": turn.content} for turn in last]
    messages.append({"role": "user", "content": question})
    return Composed(
        Prompt(messages, window.reply),
        tuple(asked.entries[: len(passages)]),
        summary,
        len(last),
        sum(window.cost(message["content"]) for message in messages),
    )


def _passages(entries: Sequence[Entry], room: int, window: Window) -> list[str]:
    """The best entries' passages; the last that fits in part is cut, the rest is left out."""
    found: list[str] = []
    for number, entry in enumerate(entries[:PASSAGES], 1):
        text = redact_secrets(entry_text(entry))[:PASSAGE_CHARACTERS]
        frame = window.count(passage(number, "")) + 1
        fitting = cut(unmarked(text), room - frame, window.count)
        if window.count(fitting) < min(_LEAST, window.count(text)):
            break
        found.append(passage(number, fitting))
        room -= window.count(found[-1]) + 1
    return found


def _redacted(turns: Sequence[MemoryTurn]) -> list[MemoryTurn]:
    """What was said, in the only form that goes on: an assistant may name the site's own number."""
    return [
        MemoryTurn(turn.role, spoken(clean(turn.content)))
        for turn in turns
        for clean in (redact if turn.role == "user" else redact_secrets,)
        if turn.content.strip()
    ]


def _last(turns: Sequence[MemoryTurn], room: int, window: Window) -> list[MemoryTurn]:
    """The last turns that fit, in order; the first of them is the visitor's, as templates ask."""
    found: list[MemoryTurn] = []
    for turn in reversed(turns[-LAST_TURNS:]):
        fitting = cut(turn.content, room - MESSAGE, window.count)
        if window.count(fitting) < min(_LEAST, window.count(turn.content)):
            break
        found.append(MemoryTurn(turn.role, fitting))
        room -= window.cost(fitting)
    while found and found[-1].role != "user":
        found.pop()
    return found[::-1]


def _summary(
    turns: Sequence[MemoryTurn], question: str, room: int, window: Window, embed: Embed | None
) -> tuple[Kept, ...]:
    lines = [Line(turn.role, turn.content) for turn in turns]
    budget = min(room, SUMMARY_TOKENS)
    return distil(lines, question, budget, count=window.count, embed=embed)
