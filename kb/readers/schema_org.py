"""Questions that a page marks as such for search engines: schema.org's FAQPage.

Decides where they may stand: in JSON-LD, `@graph`, arrays and references included, or in microdata.
The accepted answer is taken, else the first suggested one. Refuses the questions of a QAPage, which
are its visitors', not its owner's; a script that is not JSON is a problem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from kb.entry import Problem
from kb.readers.html_markdown import html_to_markdown, markdown_of
from kb.readers.html_tree import Element, Page, PageTooLarge, Pair, parse_page, text_of
from kb.readers.question_form import clean_question

MAX_NODES: Final = 100_000
"""Objects and lists of one script that are looked at."""

_WRAPPED = re.compile(r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*\Z")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def linked_data_pairs(page: Page, base: str, source: str) -> Iterator[Pair | Problem]:
    """Give the questions of the page's JSON-LD scripts."""
    for line, script in page.linked_data:
        try:
            data = json.loads(_WRAPPED.sub("", script), strict=False)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
            yield Problem(source, line, f"its JSON-LD is not JSON ({reason}): mend the script")
            continue
        for node in _questions(data):
            yield from _pair(node, line, base, source)


def microdata_pairs(page: Page, base: str) -> Iterator[Pair]:
    """Give the questions that elements with `itemtype` Question mark."""
    for element in page.elements:
        if not _is_item(element, "Question") or _is_inside(element, "QAPage"):
            continue
        inside = page.elements[element.first + 1 : element.last + 1]
        names = [one for one in inside if "name" in _properties(one)]
        answers = [
            one
            for wanted in ("acceptedAnswer", "suggestedAnswer")
            for one in inside
            if wanted in _properties(one)
        ]
        if names and answers:
            yield Pair(
                clean_question(text_of(names[0])),
                _answer_of(answers[0], page, base),
                element.line,
                element.get("id") or names[0].get("id"),
            )


def _questions(data: Any) -> Iterator[dict[str, Any]]:
    """Give the Question objects of one script in order, without those of a QAPage."""
    waiting, seen = [data], 0
    while waiting and seen < MAX_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            kinds = _kinds(node)
            if "Question" in kinds:
                yield node
            elif "QAPage" not in kinds:
                waiting.extend(
                    value for value in reversed(node.values()) if isinstance(value, dict | list)
                )


def _kinds(node: dict[str, Any]) -> set[str]:
    given = node.get("@type")
    kinds = given if isinstance(given, list) else [given]
    return {kind.rpartition("/")[2].rpartition(":")[2] for kind in kinds if isinstance(kind, str)}


def _pair(node: dict[str, Any], line: int, base: str, source: str) -> Iterator[Pair | Problem]:
    question = _first_text(node, "name", "text", "headline")
    answer = _first(node.get("acceptedAnswer")) or _first(node.get("suggestedAnswer"))
    text = answer if isinstance(answer, str) else _first_text(answer or {}, "text", "name")
    try:
        asked = clean_question(text_of(parse_page(question).root))
        yield Pair(asked, html_to_markdown(text, base), line, _anchor(node, base))
    except PageTooLarge as error:
        yield Problem(source, line, f"question {question[:60]!r}: {error}")


def _first(value: Any) -> Any:
    if isinstance(value, list):
        return value[0] if value else None
    return value


def _first_text(node: Any, *names: str) -> str:
    if isinstance(node, dict):
        for name in names:
            value = _first(node.get(name))
            if isinstance(value, str) and value.strip():
                return _LONE_SURROGATE.sub("\ufffd", value)
    return ""


def _anchor(node: dict[str, Any], base: str) -> str:
    """Give the fragment of the question's own address where that is on this page."""
    for name in ("url", "@id"):
        address = node.get(name)
        if isinstance(address, str):
            page, _, fragment = address.partition("#")
            if fragment and page in {"", base}:
                return _LONE_SURROGATE.sub("\ufffd", fragment)
    return ""


def _is_item(element: Element, kind: str) -> bool:
    return any(name.rpartition("/")[2] == kind for name in element.get("itemtype").split())


def _is_inside(element: Element, kind: str) -> bool:
    above = element.parent
    while above:
        if _is_item(above, kind):
            return True
        above = above.parent
    return False


def _properties(element: Element) -> list[str]:
    return element.get("itemprop").split()


def _answer_of(answer: Element, page: Page, base: str) -> str:
    for element in page.elements[answer.first + 1 : answer.last + 1]:
        if "text" in _properties(element):
            return markdown_of([element], base)
    return markdown_of([answer], base)
