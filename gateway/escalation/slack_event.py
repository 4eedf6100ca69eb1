"""Slack's Events API, inbound: who signed a request, and what an event means to us.

It decides by the signature alone whose request it is (`v0`, HMAC-SHA256 over the raw body, compared
in constant time, within five minutes), and then what of an event counts: a person's words in a
thread, or a person's check mark on its first message. Everything else is passed over: bots, edits,
deletions, joins, our own messages, and people of other workspaces in a shared channel. It opens
nothing and needs no library, so that a Worker has it too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from core.ports import Thread
from gateway.escalation.slack_text import markdown

WINDOW_S: Final = 300.0
VERSION: Final = "v0"

WRITTEN: Final = frozenset({None, "thread_broadcast", "file_share"})
"""The subtypes of a message that a person has written; an edit or a join is another."""

CHECK_MARKS: Final = frozenset({"white_check_mark", "heavy_check_mark", "ballot_box_with_check"})
RESOLVING: Final = frozenset(
    {
        *("resolve", "resolved", "close"),
        *("resolver", "resuelto", "resuelta", "cerrar"),
        *("נפתר", "טופל", "סגור"),
    }
)
"""A reply that is only one of these words closes the escalation; the visitor does not read it."""

_AUTHOR_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class PersonsWord:
    """What a person did in a thread: wrote `content` (Markdown); or closed it, where that is empty.

    `ts` is the message's own, or the reaction's. `may_be_ours` is False where the event says that
    the thread's first message is not the app's own; `is_anyones` is True of a reaction in a channel
    that another workspace shares, since it does not say of which its user is.
    """

    event_id: str
    thread: Thread
    user: str
    author: str
    ts: str
    content: str
    may_be_ours: bool = True
    is_anyones: bool = False

    @property
    def closes(self) -> bool:
        """Whether it is no reply, but the end."""
        return not self.content


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`X-Slack-Signature` over a request's time and raw body."""
    signed = b":".join((VERSION.encode(), timestamp.encode(), body))
    return f"{VERSION}=" + hmac.digest(secret.encode(), signed, hashlib.sha256).hex()


def is_fresh(timestamp: str, now: float) -> bool:
    """Whether `X-Slack-Request-Timestamp` is a time within the window."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    return abs(now - int(timestamp)) <= WINDOW_S


def is_signed(secret: str, timestamp: str, body: bytes, given: str) -> bool:
    """Whether this secret made the signature."""
    made = signature(secret, timestamp, body)
    return hmac.compare_digest(made.encode(), given.encode("utf-8", "replace"))


def persons_word(envelope: Mapping[str, Any]) -> PersonsWord | None:
    """What a person did in a thread, of an `event_callback`; None for everything else."""
    event = envelope.get("event")
    event_id, team = envelope.get("event_id"), envelope.get("team_id")
    if not isinstance(event, dict) or not _are_texts(event_id, team):
        return None
    word = None
    if event.get("type") == "message":
        word = _message(event, str(event_id), str(team))
    elif event.get("type") == "reaction_added":
        shared = envelope.get("is_ext_shared_channel", False) is not False
        word = _reaction(event, str(event_id), str(team), is_anyones=shared)
    begun_by = event.get("parent_user_id", event.get("item_user"))
    return word and replace(word, may_be_ours=begun_by is None or begun_by in _own(envelope))


def _own(envelope: Mapping[str, Any]) -> set[object]:
    """The app's own user in the workspaces that an event was sent for."""
    authorized = envelope.get("authorizations")
    each = authorized if isinstance(authorized, list) else []
    return {
        one["user_id"] for one in each if isinstance(one, dict) and _are_texts(one.get("user_id"))
    }


def _message(event: Mapping[str, Any], event_id: str, team: str) -> PersonsWord | None:
    channel, thread_ts, ts = event.get("channel"), event.get("thread_ts"), event.get("ts")
    user, text = event.get("user"), event.get("text")
    if not _are_texts(channel, thread_ts, ts, user, text) or thread_ts == ts:
        return None
    if event.get("subtype") not in WRITTEN or "bot_id" in event or "edited" in event:
        return None
    if any(event.get(name, team) != team for name in ("user_team", "source_team")):
        return None
    content = "" if _resolves(str(text)) else markdown(str(text))
    if not content and not _resolves(str(text)):
        return None  # a file alone: nothing that the visitor could read
    thread = Thread(team, str(channel), str(thread_ts))
    return PersonsWord(event_id, thread, str(user), _author(event), str(ts), content)


def _reaction(
    event: Mapping[str, Any], event_id: str, team: str, *, is_anyones: bool
) -> PersonsWord | None:
    item, user, at = event.get("item"), event.get("user"), event.get("event_ts")
    if event.get("reaction") not in CHECK_MARKS or not isinstance(item, dict):
        return None
    channel, ts = item.get("channel"), item.get("ts")
    if item.get("type") != "message" or not _are_texts(channel, ts, user, at):
        return None
    thread = Thread(team, str(channel), str(ts))
    return PersonsWord(event_id, thread, str(user), str(user), str(at), "", is_anyones=is_anyones)


def _author(event: Mapping[str, Any]) -> str:
    """The name that the event has of its writer, else the id."""
    profile = event.get("user_profile")
    if isinstance(profile, dict):
        for name in ("display_name", "real_name", "name"):
            found = profile.get(name)
            if isinstance(found, str) and found.strip():
                shown = "".join(one for one in found if one.isprintable()).strip()
                return shown[:_AUTHOR_LIMIT] or str(event["user"])
    return str(event["user"])[:_AUTHOR_LIMIT]


def _resolves(text: str) -> bool:
    return text.strip().strip(".!*_").casefold() in RESOLVING


def _are_texts(*values: object) -> bool:
    return all(isinstance(value, str) and value for value in values)
