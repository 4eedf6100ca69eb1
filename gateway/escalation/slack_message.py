"""What a Slack channel is shown of an escalation, and of what became of it.

It decides the blocks and their limits. Everything a visitor wrote stands in `plain_text`, escaped,
so that it can ping nobody, link nowhere and pass for nothing else; only what this gateway itself
says, the link to its console, is `mrkdwn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.messages import AddedTurn, Escalation
from gateway.escalation.slack_text import escaped

TEXT_LIMIT: Final = 3_000
"""Characters of a section's text (Block Kit)."""

HEADER_LIMIT: Final = 150
NOTICE_LIMIT: Final = 300
"""Characters of what a notification shows; Slack itself would cut a message at 40,000."""

_FACT_LIMIT: Final = 300
_TAIL: Final = 6
EVENT_TYPE: Final = "fanlight_escalation"

_REASONS: Final = {
    "low_confidence": "no answer that is sure enough",
    "empty": "no answer at all",
    "requested": "the site asked for a person",
    "always": "this topic always goes to a person",
    "visitor_asked": "the visitor asked for a person",
}
_HOW: Final = (
    "Reply in this thread, and the visitor reads it. A reply that is only the word resolve, "
    "or a check mark on this message, closes it."
)


def question(escalation: Escalation, site_name: str, console_url: str) -> dict[str, Any]:
    """The message that opens a thread; a channel is added by the caller."""
    blocks = [
        {"type": "header", "text": _plain(f"{site_name}: a visitor is waiting", HEADER_LIMIT)},
        _section(escalation.question),
        _context(_facts(escalation)),
    ]
    if escalation.tail:
        blocks.append(_section(_tail(escalation)))
    if escalation.fallback_text.strip():
        blocks.append(_context([f"Shown meanwhile: {escalation.fallback_text}"]))
    blocks.append(_context([_HOW]))
    blocks.append(_link(f"{console_url}/#{escalation.id}"))
    return {
        **_message(f"{site_name}: {escalation.question}", blocks),
        "metadata": {
            "event_type": EVENT_TYPE,
            "event_payload": {"escalation_id": escalation.id, "site": escalation.site},
        },
    }


def asked_again(turn: AddedTurn) -> dict[str, Any]:
    """What a thread is told of a later turn; it pings nobody, as every message in a thread."""
    said = "The visitor wrote again:"
    blocks = [_context([said]), _section(turn.question), _context(_facts(turn))]
    if turn.fallback_text.strip():
        blocks.append(_context([f"Shown meanwhile: {turn.fallback_text}"]))
    return _message(f"{said} {turn.question}", blocks)


def reachable(turn: Escalation | AddedTurn) -> dict[str, Any]:
    """What a thread is told of a contact that the visitor left."""
    said, contact = "The visitor left a contact:", turn.contact or ""
    blocks = [_context([said]), _section(contact)]
    if turn.contact_consent is not None:
        blocks.append(_context([f"Agreed to: {turn.contact_consent.wording}"]))
    return _message(f"{said} {contact}", blocks)


def answered(author: str, content: str) -> dict[str, Any]:
    """What a thread is told of a reply that was written elsewhere."""
    said = f"{author} answered elsewhere:"
    return _message(f"{said} {content}", [_context([said]), _section(content)])


def resolved() -> dict[str, Any]:
    """What a thread is told at the end."""
    said = "Resolved. The visitor's next question opens a new thread."
    return _message(said, [_context([said])])


def kept_open() -> dict[str, Any]:
    """What a thread is told that was closed before its last turn could be read there."""
    said = (
        "Not closed: the visitor had written again just before."
        " Answer that here or in the console, then close it once more."
    )
    return _message(said, [_context([said])])


def _message(notice: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "text": escaped(notice, NOTICE_LIMIT),
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _facts(escalation: Escalation | AddedTurn) -> list[str]:
    who = "this gateway judged" if escalation.provenance == "server" else "the browser says"
    facts = [
        f"Why: {_REASONS[escalation.reason]}",
        f"Confidence: {escalation.confidence:.0%} ({who})",
        f"Language: {escalation.locale}",
    ]
    return [*facts, f"Contact: {escalation.contact}"] if escalation.contact else facts


def _tail(escalation: Escalation) -> str:
    """The turns before, each with its share of the room, so that no long one hides the last."""
    turns = escalation.tail[-_TAIL:]
    share = TEXT_LIMIT // (6 * len(turns))
    lines = []
    for turn in turns:
        speaker = "Visitor" if turn.role == "user" else "Fanlight"
        text = " ".join(turn.content.split())
        lines.append(f"{speaker}: {text if len(text) <= share else text[:share] + '…'}")
    return "\n".join(["Before that:", *lines])


def _plain(text: str, limit: int) -> Mapping[str, object]:
    # Block Kit refuses an empty text.
    return {"type": "plain_text", "text": escaped(text.strip() or "…", limit), "emoji": False}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, TEXT_LIMIT)}


def _context(texts: list[str]) -> dict[str, Any]:
    return {"type": "context", "elements": [_plain(text, _FACT_LIMIT) for text in texts]}


def _link(url: str) -> dict[str, Any]:
    element = {"type": "mrkdwn", "text": f"<{escaped(url, TEXT_LIMIT)}|Open in the console>"}
    return {"type": "context", "elements": [element]}
