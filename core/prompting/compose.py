"""A prompt that fits: template, passages, a summary of older turns, the last turns, the question.

Decides what gets how much of the model's window, in this order: the instructions and the question
need theirs; the list of a question's parts may take three tenths of what is left, or it is left
out; passages three fifths of the rest; answers to like questions a quarter of what then is left;
the last turns half of the rest; lines of older turns what then remains. Everything of others is
redacted before it is counted: no card number, account number or secret reaches a prompt, and no
visitor's e-mail or telephone number. Refuses a window that does not hold the instructions and a
question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.messages import MemoryTurn
from core.ports import Prompt
from core.prompting.budget import MESSAGE, Count, cut, estimate
from core.prompting.distil import Embed, Kept, Line, distil
from core.prompting.quoting import answered, entry_text, part, passage, spoken, unmarked
from core.prompting.template import Template
from core.redact import redact, redact_secrets
from kb import Entry

PASSAGES: Final = 4
PASSAGE_CHARACTERS: Final = 1_500
LAST_TURNS: Final = 6
QUESTION_SHARE: Final = 0.5
PASSAGE_SHARE: Final = 0.6
PARTS_SHARE: Final = 0.3
RECALLED_SHARE: Final = 0.25
TURN_SHARE: Final = 0.5
SUMMARY_TOKENS: Final = 512
_LEAST: Final = 8
"""A passage or turn that is cut to fewer tokens says nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what may go into its prompt: entries best first, turns oldest first.

    `recalled` are answers to like questions; `parts` the questions of a message that has several,
    each with the ids of its entries. At most `passages` entries stand in it, each of so many
    `characters`.
    """

    name: str
    question: str
    locale: str = ""
    entries: Sequence[Entry] = ()
    turns: Sequence[MemoryTurn] = ()
    recalled: Sequence[str] = ()
    parts: Sequence[tuple[str, Sequence[str]]] = ()
    passages: int = PASSAGES
    characters: int = PASSAGE_CHARACTERS


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

    `entries` are those whose passages are in it, in their order; `recalled` the places, from 0, of
    the answers to like questions that are; `summary` the lines of older turns; `last` how many
    turns stand in it as they were said; `tokens` what it takes by count.
    """

    prompt: Prompt
    entries: tuple[Entry, ...]
    recalled: tuple[int, ...]
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
    told = template.filled(template.parts, name=asked.name, locale=asked.locale)
    parts = _listed(told, _parts(asked, asked.entries[: asked.passages]))
    cost = window.count(parts) + len(asked.parts)
    named = bool(parts) and cost <= PARTS_SHARE * left
    left -= cost if named else 0
    passages = _passages(asked, int(PASSAGE_SHARE * left), window)
    left -= sum(window.count(text) + 1 for text in passages)
    used = tuple(asked.entries[: len(passages)])
    # Before the passages: small models repeat what stands last.
    text = system + (_listed(told, _parts(asked, used)) if named else "")
    text += "\n".join(passages) or nothing
    heading = template.filled(template.answered, name=asked.name, locale=asked.locale)
    recalled = _recalled(asked, int(RECALLED_SHARE * left) - window.count(heading), window)
    section = _section(heading, list(recalled.values()))
    text += section
    left -= window.count(section)
    turns = _redacted(asked.turns)
    last = _last(turns, int(TURN_SHARE * left), window)
    left -= sum(window.cost(turn.content) for turn in last)
    older = turns[: len(turns) - len(last)]
    heading = template.filled(template.earlier, name=asked.name, locale=asked.locale)
    summary = _summary(older, question, left - window.count(heading) - _LEAST, window, embed)
    if summary:
        lines = [unmarked(line.shown) for line in summary]
        text += _section(heading, ["<earlier>", *lines, "</earlier>"])
    said = _alternating([*last, MemoryTurn("user", question)])
    messages = [{"role": "system", "content": text}, *said]
    return Composed(
        Prompt(messages, window.reply),
        used,
        tuple(recalled),
        summary,
        len(last),
        sum(window.cost(message["content"]) for message in messages),
    )


def _listed(heading: str, lines: Sequence[str]) -> str:
    """Lines under a heading, before what follows; nothing where there are none."""
    return "\n".join([heading, *lines, ""]) if lines else ""


def _section(heading: str, lines: Sequence[str]) -> str:
    """Lines under a heading, after what stands before; nothing where there are none."""
    return "\n".join(["", "", heading, *lines]) if lines else ""


def _passages(asked: Asked, room: int, window: Window) -> list[str]:
    """The best entries' passages; the last that fits in part is cut, the rest is left out."""
    found: list[str] = []
    for number, entry in enumerate(asked.entries[: asked.passages], 1):
        text = redact_secrets(entry_text(entry))[: asked.characters]
        frame = window.count(passage(number, "")) + 1
        fitting = cut(unmarked(text), room - frame, window.count)
        if window.count(fitting) < min(_LEAST, window.count(text)):
            break
        found.append(passage(number, fitting))
        room -= window.count(found[-1]) + 1
    return found


def _parts(asked: Asked, used: Sequence[Entry]) -> list[str]:
    """The parts of the question, each with the numbers of its passages in the prompt."""
    numbers = {entry.id: number for number, entry in enumerate(used, 1)}
    return [
        part(at, redact(question), sorted(numbers[one] for one in names if one in numbers))
        for at, (question, names) in enumerate(asked.parts, 1)
    ]


def _recalled(asked: Asked, room: int, window: Window) -> dict[int, str]:
    """Answers to like questions, whole or not at all: half an answer may say the opposite."""
    found: dict[int, str] = {}
    for place, text in enumerate(asked.recalled):
        made = answered(len(found) + 1, redact(text))
        cost = window.count(made) + 1
        if cost <= room:
            found[place] = made
            room -= cost
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


def _alternating(turns: Sequence[MemoryTurn]) -> list[dict[str, str]]:
    """The turns as messages, neighbours of one role as one: many templates refuse them apart."""
    found: list[dict[str, str]] = []
    for turn in turns:
        if found and found[-1]["role"] == turn.role:
            found[-1]["content"] += f"\n\n{turn.content}"
        else:
            found.append({"role": turn.role, "content": turn.content})
    return found


def _summary(
    turns: Sequence[MemoryTurn], question: str, room: int, window: Window, embed: Embed | None
) -> tuple[Kept, ...]:
    lines = [Line(turn.role, turn.content) for turn in turns]
    budget = min(room, SUMMARY_TOKENS)
    return distil(lines, question, budget, count=window.count, embed=embed)
