"""The reader of Markdown that was not written for Fanlight: READMEs, handbooks, sites of pages.

Decides that a heading that asks, or a bold line that does, starts an entry, and that it ends at the
next such one or at a heading of its level. Front matter says the language or is passed over. A file
in Fanlight's own form, with `locale:` or `{#id}`, is left to the Markdown reader. Refuses raw HTML:
its words stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kb.entry import Problem
from kb.readers.html_tree import language_tag
from kb.readers.markdown import read_markdown
from kb.readers.question_form import clean_question, is_question
from kb.readers.row import Row
from kb.readers.safe_markdown import safe_markdown

_OWN_FORM = re.compile(r"(?:locale:\s*\S|##\s.*\{#[\w.:-]+\}\s*\Z)")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*\Z")
_BOLD = re.compile(r"(?:\*\*|__)([^*_]+)(?:\*\*|__)[ \t]*\Z")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")
_LANGUAGE = re.compile(r"(?:lang|language)\s*:\s*[\"']?([\w-]+)")
_MARKS = re.compile(r"[*_`]+|\[([^\]]*)\]\([^)]*\)")
_BOLD_LEVEL: Final = 7
_LONGEST_HEADING: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Heading:
    at: int
    level: int
    text: str

    @property
    def asks(self) -> bool:
        return is_question(self.text)


def read_faq_markdown(
    lines: Iterator[str], source: str, locale: str | None
) -> Iterator[Row | Problem]:
    """Read one entry from each heading that asks."""
    text = [line.rstrip("\r\n") for line in lines]
    if any(_OWN_FORM.match(line) for line in text):
        yield from read_markdown(iter(text), source, locale)
        return
    start, language = _front_matter(text)
    headings = [
        heading for heading in _headings(text, start) if heading.level < _BOLD_LEVEL or heading.asks
    ]
    count = 0
    for number, heading in enumerate(headings):
        if heading.asks and not _is_title(headings, number):
            count += 1
            end = _end(headings, number, len(text))
            answer = safe_markdown("\n".join(text[heading.at + 1 : end]).strip())
            given = language or locale or ""
            yield Row(source, heading.at + 1, "", given, heading.text, answer)
    if not count:
        yield Problem(source, 0, _NOTHING)


_NOTHING: Final = "no question was found: write questions as headings that end in a question mark"


def _front_matter(text: Sequence[str]) -> tuple[int, str]:
    """Give the line after the front matter, and the language that it names."""
    if not text or text[0].strip() != "---":
        return 0, ""
    end = next((at for at in range(1, len(text)) if text[at].strip() == "---"), 0)
    found = (_LANGUAGE.match(line) for line in text[1:end])
    return end + 1 if end else 0, next((language_tag(one.group(1)) for one in found if one), "")


def _headings(text: Sequence[str], start: int) -> Iterator[_Heading]:
    fence = ""
    for at in range(start, len(text)):
        line = text[at]
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group(1)
        elif mark and line.strip().startswith(fence):
            fence = ""
        elif fence or len(line) > _LONGEST_HEADING:
            continue
        elif found := _HEADING.match(line):
            yield _Heading(at, len(found.group(1)), _plain(found.group(2)))
        elif found := _BOLD.match(line):
            yield _Heading(at, _BOLD_LEVEL, _plain(found.group(1)))


def _plain(text: str) -> str:
    return clean_question(" ".join(_MARKS.sub(r"\1", safe_markdown(text)).split()))


def _is_title(headings: Sequence[_Heading], number: int) -> bool:
    """Whether this is the file's title: a first-level heading with questions under it."""
    if headings[number].level != 1:
        return False
    for following in headings[number + 1 :]:
        if following.level == 1:
            return False
        if following.asks:
            return True
    return False


def _end(headings: Sequence[_Heading], number: int, last: int) -> int:
    level = headings[number].level
    for following in headings[number + 1 :]:
        if following.level <= level or following.asks:
            return following.at
    return last
