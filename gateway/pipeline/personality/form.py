"""The form of a personality: which fields there are, and what each may hold.

The fields are those of seed S2, sections 3.4.2 and 3.4.3. Decides what is refused (a document that
is no mapping, without a name, with a value of another kind, or with more text than a prompt has
room for) and what is only told (an unknown field or choice, which is left out; a section that is
not there). A personality decides how something is said, never what is true: nothing here reaches
the instructions that come after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

REQUIRED: Final = ("identity", "communication")
EXPECTED: Final = ("response_behavior", "memory_usage")
"""Sections whose absence is told, because the defaults then decide."""

MOST_ITEMS: Final = 12


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a field, by its dotted name; "" where it is the whole's."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" if self.field else self.text


class BadPersonality(ValueError):
    """A personality that cannot be used; the message has every flaw, and the remedy of each."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(map(str, flaws)))
        self.flaws = flaws


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one line, or of several, of at most so many letters."""

    most: int
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Up to `MOST_ITEMS` texts of one line."""

    most: int


Kind = Text | Choice | Flag | Texts
Value = str | bool | tuple[str, ...]

FIELDS: Final[Mapping[str, Kind]] = {
    "identity.name": Text(60),
    "identity.role": Text(120),
    "identity.expertise": Texts(80),
    "identity.background": Text(600, lines=True),
    "communication.tone": Choice(("warm", "professional", "direct", "enthusiastic")),
    "communication.verbosity": Choice(("concise", "balanced", "detailed")),
    "communication.formality": Choice(("casual", "professional", "formal")),
    "communication.use_analogies": Flag(),
    "communication.use_examples": Flag(),
    "communication.use_humor": Flag(),
    "response_behavior.citation_style": Choice(("always_cite", "cite_patterns", "conversational")),
    "response_behavior.clarification": Choice(("ask_questions", "make_assumptions")),
    "response_behavior.show_reasoning": Flag(),
    "response_behavior.step_by_step": Flag(),
    "response_behavior.prioritize": Choice(("accuracy", "speed")),
    "memory_usage.priority": Choice(("when_relevant", "frequently", "always_reference")),
    "memory_usage.pattern_trust": Choice(("balanced", "heavily_favor")),
    "memory_usage.historical_context": Choice(("reference_past", "current_only")),
    "formatting.structure": Choice(("mixed", "bullets")),
    "formatting.code_blocks": Choice(("separate",)),
    "formatting.emphasis": Choice(("markdown", "plain")),
    "personality_traits": Texts(80),
    "custom_instructions": Text(2_000, lines=True),
}
"""Every field by its dotted name, in the order of the form."""

LIMITS: Final[Mapping[str, int]] = {
    name: kind.most for name, kind in FIELDS.items() if isinstance(kind, Text | Texts)
}
"""How many letters a text may have, or each of several."""

SECTIONS: Final = tuple(dict.fromkeys(name.partition(".")[0] for name in FIELDS))


@dataclass(frozen=True, slots=True)
class Personality:
    """How a chat speaks: values by their dotted names; what was not said is absent.

    `left_out` is what of the document was not taken, and why.
    """

    values: Mapping[str, Value]
    left_out: tuple[Flaw, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """What the chat calls itself."""
        return str(self.values["identity.name"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was left out, as sentences."""
        return tuple(map(str, self.left_out))

    def document(self) -> dict[str, Any]:
        """The same in the form of a file, with every section that one should have."""
        made: dict[str, Any] = {section: {} for section in (*REQUIRED, *EXPECTED)}
        for name, value in self.values.items():
            section, _, key = name.partition(".")
            held = list(value) if isinstance(value, tuple) else value
            if key:
                made.setdefault(section, {})[key] = held
            else:
                made[section] = held
        return made


def read_personality(document: object) -> Personality:
    """A personality from what a YAML file holds; raises `BadPersonality`, with every flaw."""
    personality, flaws = examine(document)
    if flaws:
        raise BadPersonality(*flaws)
    return personality


def examine(document: object) -> tuple[Personality, tuple[Flaw, ...]]:
    """What of a document can be used, and every flaw for which all of it is refused."""
    if not isinstance(document, Mapping):
        flaw = Flaw("", "it is no mapping: begin with `identity:` and `communication:`")
        return Personality({}), (flaw,)
    flaws: list[Flaw] = []
    left_out: list[Flaw] = []
    values: dict[str, Value] = {}
    for name, value in _named(document, flaws, left_out):
        try:
            found = _read(name, value)
        except _LeftOut as told:
            left_out += told.flaws
        except BadPersonality as told:
            flaws += told.flaws
        else:
            if found not in ("", ()):
                values[name] = found
    if "identity" in document and "identity.name" not in values and not _named_flaw(flaws):
        flaws.append(Flaw("identity.name", "there is none; say what the chat calls itself"))
    return Personality(values, tuple(left_out)), tuple(flaws)


class _LeftOut(BadPersonality):
    """A value that is told of and left out."""


def _named_flaw(flaws: list[Flaw]) -> bool:
    return any(flaw.field in {"identity.name", "identity"} for flaw in flaws)


def _named(
    document: Mapping[Any, Any], flaws: list[Flaw], left_out: list[Flaw]
) -> Iterator[tuple[str, object]]:
    """The values of known fields by their dotted names."""
    flaws += [
        Flaw(name, "this section is missing; add it") for name in REQUIRED if name not in document
    ]
    left_out += [
        Flaw(name, "this section is missing; the model's own habits decide")
        for name in EXPECTED
        if name not in document
    ]
    for section, held in document.items():
        if section in FIELDS:
            yield section, held
        elif section not in SECTIONS:
            left_out.append(_unknown(str(section), SECTIONS))
        elif not isinstance(held, Mapping):
            flaws.append(Flaw(section, "this is no section; write its fields below it, indented"))
        else:
            for name, value in held.items():
                dotted = f"{section}.{name}"
                if dotted in FIELDS:
                    yield dotted, value
                else:
                    left_out.append(_unknown(dotted, tuple(FIELDS)))


def _unknown(name: str, known: tuple[str, ...]) -> Flaw:
    near = get_close_matches(name, known, n=1)
    return Flaw(name, "there is no such field" + (f"; did you mean {near[0]}?" if near else ""))


def _read(name: str, value: object) -> Value:
    if value is None:
        return ""
    kind = FIELDS[name]
    if isinstance(kind, Flag):
        if not isinstance(value, bool):
            raise BadPersonality(Flaw(name, "write true or false"))
        return value
    if isinstance(kind, Choice):
        if value not in kind.words:
            raise _LeftOut(
                Flaw(name, f"{value!r} is left out; write one of {', '.join(kind.words)}")
            )
        return str(value)
    if isinstance(kind, Texts):
        return _texts(name, value, kind)
    return _text(name, value, kind.most, lines=kind.lines)


def _texts(name: str, value: object, kind: Texts) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadPersonality(Flaw(name, "write a list, one text a line, each after `- `"))
    if len(value) > MOST_ITEMS:
        raise BadPersonality(Flaw(name, f"it has {len(value)} texts; keep {MOST_ITEMS} at most"))
    found: list[str] = []
    flaws: list[Flaw] = []
    for at, each in enumerate(value):
        try:
            found.append(_text(f"{name}[{at}]", each, kind.most, lines=False))
        except BadPersonality as told:
            flaws += told.flaws
    if flaws:
        raise BadPersonality(*flaws)
    return tuple(filter(None, found))


def _text(name: str, value: object, most: int, *, lines: bool) -> str:
    if not isinstance(value, str):
        raise BadPersonality(Flaw(name, "this is no text; put it in quotes"))
    text = value.replace("\r\n", "\n").strip()
    if len(text) > most:
        raise BadPersonality(Flaw(name, f"it has {len(text)} letters; keep it to {most}"))
    if not lines and "\n" in text:
        raise BadPersonality(Flaw(name, "write it on one line"))
    if any(sign < " " and sign not in "\n\t" for sign in text):
        raise BadPersonality(Flaw(name, "it has a sign that nobody can read; write it anew"))
    return text
