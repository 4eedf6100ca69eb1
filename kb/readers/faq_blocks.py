"""Questions and answers in a page's plain HTML.

Decides what pairs a question with its answer: `details` with its `summary`, terms of a list with
what describes them, a button with the panel that it opens, a heading that asks with what follows;
and where there is none of these, lines that end in a question mark with what follows. Refuses what
only looks so: a glossary, a menu, a tab, a call to click, and the title of a section that holds
questions of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kb.readers.html_markdown import markdown_of
from kb.readers.html_tree import BLOCKS, Element, Node, Page, Pair, text_of
from kb.readers.question_form import (
    MAX_QUESTION,
    clean_question,
    has_question_mark,
    is_question,
)

_CLIMBS: Final = 3
"""Wrappers around a heading that are looked beyond for its answer."""
_LEVELS: Final = {f"h{level}": level for level in range(1, 7)}
_LINE_LEVEL: Final = 7
_FEWEST_LINES: Final = 2
"""Lines that ask, without which a page is prose with a question in it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    questions: tuple[Element, ...]
    """The first is the question, the others are further ways to ask."""
    answer: tuple[Node, ...]


def block_pairs(page: Page, base: str) -> list[Pair]:
    """Give the pairs of a page in document order."""
    panels = _Spans()
    candidates = (*_details(page), *_terms(page), *_accordions(page))
    claimed = [candidate for candidate in candidates if panels.claim(candidate)]
    marked = [one for one in claimed if not panels.asks_within(one.answer)]
    lines = [one for one in page.elements if not _level(one) and _is_line(one)]
    places = [one.first for one in lines]
    under: list[_Candidate] = []
    titles: set[Element] = set()
    for one in _followed(page, panels):
        if _holds_lines(one.answer, places):
            titles.add(one.questions[0])
        else:
            under.append(one)
    pairs = _pairs((*marked, *under), base)
    if pairs and not titles:
        return pairs
    more = _pairs((*marked, *_followed(page, panels, lines, titles)), base)
    return more if len(more) >= _FEWEST_LINES else pairs


def _holds_lines(answer: Iterable[Node], places: Sequence[int]) -> bool:
    """Whether what follows a heading is itself a list of lines that ask: it is their title then."""
    return (
        sum(
            bisect_right(places, node.last) - bisect_left(places, node.first)
            for node in answer
            if isinstance(node, Element)
        )
        >= _FEWEST_LINES
    )


def _pairs(candidates: Iterable[_Candidate], base: str) -> list[Pair]:
    """Give the candidates as text, in document order, without those that say nothing."""
    pairs: list[Pair] = []
    for one in sorted(candidates, key=lambda candidate: candidate.questions[0].first):
        question, *others = (clean_question(text_of(element)) for element in one.questions)
        answer = markdown_of(one.answer, base)
        if question and answer and len(question) <= MAX_QUESTION:
            line = one.questions[0].line
            pairs.append(Pair(question, answer, line, _anchor(one.questions[0]), tuple(others)))
    return pairs


class _Spans:
    """Which parts of the page are a question or an answer already."""

    def __init__(self) -> None:
        self._asked: list[int] = []
        self._ends: list[int] = []
        self._answers: list[tuple[int, int]] = []

    def claim(self, candidate: _Candidate) -> bool:
        """Take a candidate unless its question is, holds or is held by one that was taken."""
        question = candidate.questions[0]
        if self.is_claimed(question):
            return False
        for element in candidate.questions:
            at = bisect_left(self._asked, element.first)
            self._asked.insert(at, element.first)
            self._ends.insert(at, element.last)
        self._answers.extend(
            (node.first, node.last) for node in candidate.answer if isinstance(node, Element)
        )
        return True

    def is_claimed(self, element: Element) -> bool:
        """Whether a taken question is this element, lies in it, or holds it."""
        at = bisect_right(self._asked, element.first)
        held = at > 0 and self._ends[at - 1] >= element.first
        return held or self._asked_between(element.first, element.last)

    def asks_within(self, nodes: Iterable[Node]) -> bool:
        """Whether a taken question lies in one of these nodes."""
        return any(
            self._asked_between(node.first, node.last)
            for node in nodes
            if isinstance(node, Element)
        )

    def answers(self, page: Page) -> bytearray:
        """For each element of the page whether it lies in an answer."""
        inside = bytearray(len(page.elements))
        for first, last in self._answers:
            inside[first : last + 1] = b"\1" * (last + 1 - first)
        return inside

    def _asked_between(self, first: int, last: int) -> bool:
        return bisect_left(self._asked, first) < bisect_right(self._asked, last)


def _details(page: Page) -> Iterator[_Candidate]:
    for element in page.elements:
        if element.name == "details":
            children = element.children
            summary = next((one for one in _elements(element) if one.name == "summary"), None)
            if summary:
                yield _Candidate((summary,), tuple(one for one in children if one is not summary))


def _terms(page: Page) -> Iterator[_Candidate]:
    """Read lists of terms of which at least half ask: others are glossaries and tables of data."""
    for element in page.elements:
        if element.name == "dl":
            found = list(_grouped(element))
            asking = sum(is_question(text_of(one.questions[0])) for one in found)
            if 2 * asking >= len(found):
                yield from found


def _grouped(terms: Element) -> Iterator[_Candidate]:
    questions: list[Element] = []
    answer: list[Node] = []
    rows = [
        row
        for child in _elements(terms)
        for row in (_elements(child) if child.name == "div" else (child,))
    ]
    for row in rows:
        if row.name == "dt" and answer:
            if questions:
                yield _Candidate(tuple(questions), tuple(answer))
            questions, answer = [], []
        if row.name == "dt":
            questions.append(row)
        elif row.name == "dd":
            answer.append(row)
    if questions and answer:
        yield _Candidate(tuple(questions), tuple(answer))


def _accordions(page: Page) -> Iterator[_Candidate]:
    by_id = {one.get("id"): one for one in reversed(page.elements) if one.get("id")}
    for element in page.elements:
        panel = by_id.get(element.get("aria-controls"))
        if panel is None or panel.first <= element.first <= panel.last:
            continue
        if _opens_an_answer(element, panel):
            yield _Candidate((element,), (panel,))


def _opens_an_answer(control: Element, panel: Element) -> bool:
    """Whether a control is an accordion's: it asks, or is built as the ARIA pattern says."""
    if control.get("role").lower() == "tab" or "aria-haspopup" in control.attributes:
        return False
    labelled = control.get("id") in panel.get("aria-labelledby").split()
    in_heading = control.parent is not None and control.parent.name in _LEVELS
    return is_question(text_of(control)) or labelled or in_heading


def _followed(
    page: Page,
    panels: _Spans,
    lines: Sequence[Element] = (),
    titles: Collection[Element] = (),
) -> Iterator[_Candidate]:
    """Give headings and lines that ask with what follows them, outside of what has been paired."""
    inside = panels.answers(page)
    found = (*(one for one in page.elements if _level(one)), *lines)
    headings = [
        one for one in sorted(found, key=lambda element: element.first) if not inside[one.first]
    ]
    asking = {
        one.first
        for one in headings
        if one not in titles and not panels.is_claimed(one) and is_question(text_of(one))
    }
    outline = _Outline(headings, asking)
    for heading in headings:
        if heading.first not in asking or outline.is_title(heading):
            continue
        answer = tuple(_following(heading, outline))
        if any(map(_says_something, answer)) and not panels.asks_within(answer):
            yield _Candidate((heading,), answer)


def _is_line(element: Element) -> bool:
    """Whether an element is one line of text, or a button, that ends in a question mark."""
    is_line = element.name in BLOCKS and not any(one.is_block for one in _elements(element))
    return (
        (is_line or element.name == "button")
        and element.has_text
        and has_question_mark(text_of(element))
    )


def _says_something(node: Node) -> bool:
    """Whether a node has words that are not a link: a mere call to click is no answer."""
    if isinstance(node, str):
        return bool(node.strip())
    return node.name not in {"a", "button"} and any(map(_says_something, node.children))


class _Outline:
    """Where the headings of a page stand, and which of them end an answer."""

    def __init__(self, headings: Sequence[Element], asking: set[int]) -> None:
        self._places = [one.first for one in headings]
        self._levels = [_level(one) or _LINE_LEVEL for one in headings]
        self._asking = asking

    def is_title(self, heading: Element) -> bool:
        """Whether this is a page's title: a first-level heading with questions under it."""
        if _level(heading) != 1:
            return False
        for at in range(bisect_right(self._places, heading.first), len(self._places)):
            if self._levels[at] == 1:
                return False
            if self._places[at] in self._asking:
                return True
        return False

    def ends(self, node: Node, level: int) -> bool:
        """Whether a node is or holds a heading that ends an answer under one of this level."""
        if isinstance(node, str):
            return False
        start = bisect_left(self._places, node.first)
        stop = bisect_right(self._places, node.last)
        return any(
            self._levels[at] <= level or self._places[at] in self._asking
            for at in range(start, stop)
        )


def _following(heading: Element, outline: _Outline) -> list[Node]:
    """Give what follows a heading up to the next one; it may stand in a wrapper of its own."""
    level, node = _level(heading) or _LINE_LEVEL, heading
    for _ in range(_CLIMBS + 1):
        parent = node.parent
        if parent is None:
            break
        taken: list[Node] = []
        for at in range(node.place + 1, len(parent.children)):
            following = parent.children[at]
            if outline.ends(following, level):
                return taken if any(map(_has_text, taken)) else []
            taken.append(following)
        if any(map(_has_text, taken)):
            return taken
        if any(map(_has_text, parent.children[: node.place])):
            break
        node = parent
    return []


def _has_text(node: Node) -> bool:
    return bool(node.strip()) if isinstance(node, str) else node.has_text


def _level(element: Element) -> int:
    if element.get("role").lower() == "heading":
        given = element.get("aria-level")
        return int(given) if given in {"1", "2", "3", "4", "5", "6"} else 2
    return _LEVELS.get(element.name, 0)


def _anchor(element: Element) -> str:
    """Give the id that leads to a question: its own, or that of what it stands in."""
    inside = next((one.get("id") for one in _elements(element) if one.get("id")), "")
    around = element.parent.get("id") if element.parent else ""
    return element.get("id") or inside or around


def _elements(element: Element) -> list[Element]:
    return [child for child in element.children if isinstance(child, Element)]
