"""A target that speaks Slack's Web API: an escalation is a thread in one channel.

It decides what Slack's answers mean: which errors pass by themselves and are tried again, and which
stay until a person has put something right, which is said in words that this person understands. It
refuses no text: what a message may hold is `gateway.escalation.slack_message`'s matter. Slack takes
no idempotency key of an app: after a crash between Slack's answer and its record a question can
stand in the channel twice, each with the escalation's id in its metadata, by which `find` knows the
thread that was lost sight of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from core.encoding import is_id
from core.errors import Unavailable
from core.escalation import part_of
from core.messages import AddedTurn, Escalation
from core.ports import Outcome, Thread
from core.truth import LeasedDelivery
from gateway.adapters.outbound import Outbound, Received, RefusedAddress
from gateway.adapters.pace import Pace
from gateway.adapters.standard_webhooks import retry_after_s
from gateway.escalation import slack_message
from gateway.settings import TargetSettings

KIND: Final = "slack"
SECONDS_A_MESSAGE: Final = 1.0
"""Slack takes one message a second in a channel."""

ANSWER_BYTES: Final = 512 * 1024
"""Slack repeats the whole message in its answer."""

RESTS_S: Final = 1.0
"""Slack says Retry-After with every 429; where it does not, this long."""

PASSING: Final = frozenset(
    {
        *("rate_limited", "ratelimited", "message_limit_exceeded", "internal_error"),
        *("fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"),
    }
)
"""Errors that pass by themselves."""

_JSON: Final = "application/json; charset=utf-8"
_FORM: Final = "application/x-www-form-urlencoded"
_NEW_TOKEN: Final = "Install the app again, and set {token} to its new bot token."  # noqa: S105
_INVITE: Final = "Invite the app to the channel: /invite @its-name."
_SCOPE: Final = "Give the app the scope chat:write, and install it again."
_OWN_FLAW: Final = "This is a flaw of Fanlight: report it; the question is in the console."

REMEDIES: Final[Mapping[str, str]] = {
    "not_authed": "Set {token} to the app's bot token (xoxb-…).",
    "invalid_auth": _NEW_TOKEN,
    "account_inactive": _NEW_TOKEN,
    "token_revoked": _NEW_TOKEN,
    "token_expired": _NEW_TOKEN,
    "not_allowed_token_type": "Set {token} to the app's bot token, which begins with xoxb-.",
    "missing_scope": _SCOPE,
    "no_permission": _SCOPE,
    "channel_not_found": "Check the target's channel id, and invite the app to that channel.",
    "not_in_channel": _INVITE,
    "is_archived": "Take the channel out of the archive, or set another one.",
    "restricted_action": "A workspace rule keeps the app from posting here: ask its owner.",
    "restricted_action_read_only_channel": "The channel is read-only: set another one.",
    "ekm_access_denied": "The workspace's administrators have suspended posting: ask them.",
    "team_access_not_granted": "Let the app into this workspace, and install it again.",
    "org_login_required": "The workspace is being moved: send it again when that is done.",
    "accesslimited": "The workspace refuses this network: ask its owner.",
    "thread_not_found": "The message that began the thread was deleted.",
    "cannot_reply_to_message": "The message that began the thread takes no replies.",
    "invalid_blocks": _OWN_FLAW,
    "invalid_arguments": _OWN_FLAW,
    "msg_too_long": _OWN_FLAW,
    "metadata_too_large": _OWN_FLAW,
    "no_text": _OWN_FLAW,
}
"""Errors that stay until a person has done this."""


class SlackTarget:
    """One channel of one workspace."""

    kind = KIND

    def __init__(
        self,
        settings: TargetSettings,
        outbound: Outbound,
        pace: Pace,
        *,
        site_names: Mapping[str, str],
        console_url: str,
    ) -> None:
        self.name = settings.name
        self._url = settings.url.rstrip("/")
        self._channel = settings.channel
        self._token = settings.token
        self._token_variable = settings.token_variable
        self._outbound = outbound
        self._pace = pace
        self._site_names = site_names
        self._console_url = console_url
        self._team = ""
        self._bot = ""

    def ready_at(self, now: float) -> float:
        """When the channel takes the next message."""
        return self._pace.ready_at(now)

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Post the question once, within 15 s; the outcome names its thread."""
        site_name = self._site_names.get(escalation.site, escalation.site)
        message = slack_message.question(escalation, site_name, self._console_url)
        return await self._post(message, at)

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        """Tell the escalation's thread once what became of it."""
        if delivery.thread is None:
            return Outcome(True, "nothing_to_tell", detail="No thread of it is known.")
        message = _told(delivery)
        if message is None:
            return Outcome(True, "nothing_to_tell", detail="What it is about was erased.")
        return await self._post({**message, "thread_ts": delivery.thread.ts}, at)

    async def _post(self, message: Mapping[str, Any], at: float) -> Outcome:
        wait = await self._pace.take(at)
        if wait:
            detail = "Another process wrote to the channel just now."
            return Outcome(False, "paced", None, detail, wait, put_off=True)
        known = await self._known(at)
        if not known.delivered:
            return known
        body = {"channel": self._channel, **message}
        outcome, posted = await self._call("chat.postMessage", body, at)
        channel, ts = posted.get("channel"), posted.get("ts")
        is_thread = isinstance(channel, str) and isinstance(ts, str) and self._team
        if not (outcome.delivered and is_thread) or "thread_ts" in message:
            return outcome
        thread = Thread(self._team, str(channel), str(ts))
        return Outcome(True, "delivered", outcome.status, outcome.detail, thread=thread)

    async def find(self, thread: Thread, at: float) -> str | None:
        """The escalation's id in the metadata of a thread's first message, if that is our own."""
        outcome, answer = await self._read("conversations.replies", thread, at)
        if not outcome.delivered and not outcome.give_up:
            raise Unavailable(outcome.detail)
        messages = answer.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        if not isinstance(first, dict) or thread.team != self._team:
            return None
        return _escalation_of(first) if first.get("bot_id") == self._bot else None

    async def _read(self, method: str, thread: Thread, at: float) -> tuple[Outcome, dict[str, Any]]:
        known = await self._known(at)
        if not known.delivered:
            return known, {}
        asked = {"channel": thread.channel, "ts": thread.ts, "limit": "1"}
        form = urlencode({**asked, "include_all_metadata": "true"}).encode()
        # Slack reads the arguments of its reading methods from a form alone.
        return await self._send(method, form, _FORM, at)

    async def _known(self, at: float) -> Outcome:
        """Ask once who we are there; as an outcome."""
        if self._team and self._bot:
            return Outcome(True, "delivered")
        outcome, known = await self._call("auth.test", {}, at)
        if outcome.delivered:
            self._team, self._bot = str(known.get("team_id", "")), str(known.get("bot_id", ""))
        return outcome

    async def _call(
        self, method: str, body: Mapping[str, Any], at: float
    ) -> tuple[Outcome, dict[str, Any]]:
        """Call one method; what its answer means, and the answer where it is a success."""
        return await self._send(method, json.dumps(body, allow_nan=False).encode(), _JSON, at)

    async def _send(
        self, method: str, content: bytes, media_type: str, at: float
    ) -> tuple[Outcome, dict[str, Any]]:
        headers = {
            "authorization": f"Bearer {self._token.reveal()}",
            "content-type": media_type,
            "user-agent": "Fanlight",
        }
        try:
            received = await self._outbound.post(
                f"{self._url}/{method}", content=content, headers=headers, read_bytes=ANSWER_BYTES
            )
        except RefusedAddress as exc:
            return Outcome(False, "refused_address", detail=f"{exc}."), {}
        except httpx.TimeoutException:
            return Outcome(False, "timeout", detail="Slack did not answer in time."), {}
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return Outcome(False, "unreachable", detail=f"No answer: {type(exc).__name__}."), {}
        return self._judged(received, at)

    def _judged(self, received: Received, at: float) -> tuple[Outcome, dict[str, Any]]:
        status, answer = received.status, _object(received.body)
        if status == 429:
            return self._rest(received, status, at), {}
        if status != 200 or answer is None:
            detail = f"Slack answered {status}{'' if answer else ', and not in JSON'}."
            return Outcome(False, "rejected", status, detail), {}
        if answer.get("ok") is True:
            return Outcome(True, "delivered", status, "Slack took it."), answer
        error = answer.get("error")
        if not isinstance(error, str) or not re.fullmatch(r"[a-z0-9_]{1,60}", error):
            return Outcome(False, "rejected", status, "Slack refused it, and gave no reason."), {}
        if error in {"rate_limited", "ratelimited"}:
            return self._rest(received, status, at), {}
        return self._refused(error, answer, status), {}

    def _refused(self, error: str, answer: Mapping[str, Any], status: int) -> Outcome:
        remedy = REMEDIES.get(error)
        if remedy is None:
            passing = "this passes" if error in PASSING else "this error is not known here"
            detail = f"Slack said {error}: {passing}; it is tried again."
            return Outcome(False, "rejected", status, detail)
        needed = answer.get("needed")
        if error == "missing_scope" and isinstance(needed, str):
            known = re.sub(r"[^a-z:,._]", "", needed)[:100]
            remedy = f"Give the app the scope {known}, and install it again."
        said = remedy.format(token=self._token_variable)
        return Outcome(False, "refused", status, f"Slack said {error}. {said}", give_up=True)

    def _rest(self, received: Received, status: int, at: float) -> Outcome:
        """Slack wants a pause: nothing goes to the channel before it is over."""
        asked = retry_after_s(received.headers.get("retry-after"), at) or RESTS_S
        self._pace.rest(at + min(asked, 3_600.0))
        detail = f"Slack asked to wait {asked:g} s."
        return Outcome(False, "rate_limited", status, detail, asked, put_off=True)


def _told(delivery: LeasedDelivery) -> dict[str, Any] | None:
    """What the thread is told; None where that is gone."""
    if delivery.action == "reply":
        replies = {reply.id: reply for reply in delivery.escalation.replies}
        reply = replies.get(delivery.about)
        return slack_message.answered(reply.author, reply.content) if reply else None
    turn = part_of(delivery.escalation, delivery.about)
    if delivery.action == "added":
        return slack_message.asked_again(turn) if isinstance(turn, AddedTurn) else None
    if delivery.action == "contact":
        return slack_message.reachable(turn) if turn and turn.contact else None
    if delivery.action == "unseen":
        return slack_message.kept_open()
    return slack_message.resolved()


def _escalation_of(message: Mapping[str, Any]) -> str | None:
    """The escalation's id in a message's metadata."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != slack_message.EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    found = payload.get("escalation_id") if isinstance(payload, dict) else None
    return found if isinstance(found, str) and is_id(found, "e") else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
