"""Text between visitors and Slack: what may go into a message, and what a person's reply says.

Towards Slack it decides that `&`, `<` and `>` are escaped, as Slack asks, so that no text of a
visitor becomes a mention, a channel or a link; and that a text that is too long is cut between
characters and never inside an escape. From Slack it makes plain Markdown of mrkdwn: mentions become
names, links are kept where they are http, https or mailto, and nothing that Slack shows as it
stands gets a meaning in Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}

_SCHEMES: Final = ("http://", "https://", "mailto:")
_CODE: Final = re.compile(r"```(?P<block>.+?)```|`(?P<span>[^`\n]+)`", re.DOTALL)
_ANGLE: Final = re.compile(r"<([^<>]*)>")
_ENTITY: Final = re.compile(r"&(?:amp|lt|gt);")
_SPECIAL: Final = re.compile(r"[\\`\[\]<>*#!|~]|(?<!\w)_|_(?!\w)")
_MARKS: Final = (("*", "**"), ("_", "_"), ("~", "~~"))
_EDGE: Final = (
    r"(?<![^\s(*_~]){mark}(?=[^\s{mark}])([^{mark}\n]*[^\s{mark}]){mark}(?![^\s).,:;!?*_~])"
)


def escaped(text: str, limit: int) -> str:
    """A visitor's text for Slack, of at most `limit` characters once it is escaped."""
    # A lone surrogate cannot be sent at all.
    clean = text.encode("utf-8", "replace").decode()
    parts = [_ESCAPES.get(character, character) for character in clean]
    if sum(map(len, parts)) <= limit:
        return "".join(parts)
    room, kept = limit - 1, []
    for part in parts:
        if len(part) > room:
            break
        kept.append(part)
        room -= len(part)
    return "".join(kept) + "…"


def markdown(mrkdwn: str) -> str:
    """A message as Slack's events have it, as Markdown."""
    return "".join(_pieces(mrkdwn)).strip()


def _pieces(mrkdwn: str) -> Iterator[str]:
    at = 0
    for match in _CODE.finditer(mrkdwn):
        yield _prose(mrkdwn[at : match.start()])
        yield _code(match)
        at = match.end()
    yield _prose(mrkdwn[at:])


def _code(match: re.Match[str]) -> str:
    if match["block"] is not None:
        return f"\n\n```\n{_as_shown(match['block']).strip('\n')}\n```\n\n"
    return f"`{_as_shown(match['span'])}`"


def _as_shown(code: str) -> str:
    """Code with its links and mentions as Slack shows them."""
    return _decoded(_ANGLE.sub(lambda found: _label(found[1]), code))


def _prose(mrkdwn: str) -> str:
    """Text without code. What has a meaning is put aside while the rest is escaped."""
    kept: list[str] = []

    def keep(made: str) -> str:
        kept.append(made)
        return f"\x00{len(kept) - 1}\x00"

    text = _ANGLE.sub(lambda found: keep(_link(found[1])), mrkdwn.replace("\x00", ""))
    for mark, wanted in _MARKS:
        pattern = _EDGE.format(mark=re.escape(mark))
        text = re.sub(pattern, f"{keep(wanted)}\\1{keep(wanted)}", text)
    lines = [_line(line) for line in text.split("\n")]
    # Slack breaks a line where the writer did; Markdown does after two blanks.
    text = "  \n".join(lines).replace("  \n  \n", "\n\n")
    return re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], text)


def _line(line: str) -> str:
    """One line, escaped; a quotation stays one."""
    quoted = line.startswith("&gt;")
    text = _SPECIAL.sub(lambda found: f"\\{found[0]}", _decoded(line[4:] if quoted else line))
    return f"> {text.strip()}" if quoted else text


def _link(inner: str) -> str:
    """What stands between angle brackets, as Markdown."""
    address = _decoded(inner.partition("|")[0])
    label = _SPECIAL.sub(lambda found: f"\\{found[0]}", _label(inner))
    if not address.startswith(_SCHEMES):
        return label
    target = re.sub(r"[\s()<>\\]", lambda found: f"%{ord(found[0]):02X}", address)
    return f"[{label}]({target})"


def _label(inner: str) -> str:
    """What Slack shows for it, as far as the event says."""
    address, _, label = inner.partition("|")
    text = _decoded(label or address)
    if address.startswith("@"):
        return f"@{text.removeprefix('@')}"
    if address.startswith("#"):
        return f"#{text.removeprefix('#')}"
    if address.startswith("!"):
        return text if label else f"@{text[1:].partition('^')[0]}"
    return text.removeprefix("mailto:")


def _decoded(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text)
