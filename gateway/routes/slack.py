"""`POST /v1/slack/events`: a person answers in Slack, and the visitor reads it.

It decides which target an event belongs to: by the signing secret that made its signature, then by
workspace, channel and thread, which only this gateway's own deliveries can have put together. What
is not ours is answered 200 and passed over, as Slack asks. An event is taken once: its id is marked
for a day once it was taken, and claimed for a moment before, so that a process killed in between
keeps nothing out; a reply's own id follows from its place in Slack, so that no lost mark stores it
twice. What the store could not take in time, or another process may be taking, is answered 503, and
Slack sends it again; so is a word in a thread that began a moment ago, whose delivery may be about
to be recorded. A thread of ours that nobody recorded, because the process was killed, is asked of
Slack itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import new_id, timestamp
from core.errors import Conflict, NotFound, Unavailable
from core.messages import Escalation, Reply
from core.ports import Thread
from core.targets import Finder
from core.truth import Threaded
from gateway import problems, wire
from gateway.bell import OPERATORS, OUTBOX, conversation_topic
from gateway.context import Services
from gateway.escalation import slack_event
from gateway.escalation.slack_event import PersonsWord
from gateway.settings import TargetSettings

PATH: Final = "/v1/slack/events"
BODY_BYTES: Final = 256 * 1024
"""A message of Slack's has 40,000 characters at most, and stands twice in its event."""

TAKEN_S: Final = 24 * 3600.0
WITHIN_S: Final = 2.5
"""Slack gives a request three seconds."""

CLAIMED_S: Final = 5.0
"""Longer than a request; no longer, since what a killed process had claimed waits so long."""

NEW_S: Final = 30.0
"""A thread that began this long ago at most may be one whose delivery is not recorded yet."""

LOOK_S: Final = 0.25
"""How often it is looked for meanwhile: another process's delivery rings no bell here."""

_log = logging.getLogger(__name__)


class SlackEvents:
    """The endpoint over the Slack targets that have a signing secret."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._targets = [
            target
            for target in services.settings.targets
            if target.kind == "slack" and target.secret
        ]

    async def events(self, request: Request) -> Response:
        """Take one event: 200 whether or not it was ours; 401 unless Slack signed it."""
        at = self._fresh(request)
        body = await wire.read_body(request, BODY_BYTES)
        signers = self._signers(request, at, body)
        document = _object(body)
        if document.get("type") == "url_verification":
            return JSONResponse({"challenge": str(document.get("challenge", ""))[:1_000]})
        word = slack_event.persons_word(document)
        if document.get("type") == "event_callback" and word is not None:
            await self._in_time(word, signers)
        return JSONResponse({})

    async def _in_time(self, word: PersonsWord, signers: Sequence[TargetSettings]) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._once(word, signers)
        except NotFound:
            _log.info("slack: an escalation was erased before it was answered")
        except TimeoutError as exc:
            raise Unavailable("the store did not answer in Slack's time") from exc

    def _fresh(self, request: Request) -> str:
        """The time that a request says; raises `Problem` before anything of it is read."""
        at, now = request.headers.get("x-slack-request-timestamp", ""), self._services.clock()
        if not slack_event.is_fresh(at, now):
            raise problems.stale("X-Slack-Request-Timestamp is not within five minutes.", now)
        return at

    def _signers(self, request: Request, at: str, body: bytes) -> list[TargetSettings]:
        """The targets whose secret made the signature; raises `Problem` where there is none."""
        given = request.headers.get("x-slack-signature", "")
        found = [
            target
            for target in self._targets
            if slack_event.is_signed(target.secret.reveal(), at, body, given)
        ]
        if not found:
            raise problems.bad_signature("No target's signing secret made X-Slack-Signature.")
        return found

    async def _once(self, word: PersonsWord, signers: Sequence[TargetSettings]) -> None:
        """Take an event unless it was taken; without a cache the reply's id alone tells.

        Raises `Problem` where it is claimed and not taken: whoever claimed it may be dead.
        """
        key = f"slack:{word.thread.team}:{word.event_id}"
        cache = self._services.cache
        claimed = False
        with suppress(Unavailable):
            if await cache.get(key) is not None:
                return
            claimed = await cache.claim(key, CLAIMED_S)
            if not claimed:
                raise problems.unavailable("Another request may be taking this event.")
        try:
            await self._take(word, signers)
        except BaseException:
            if claimed:
                with suppress(Unavailable):
                    await cache.release(key)
            raise
        with suppress(Unavailable):
            await cache.put(key, "taken", TAKEN_S)

    async def _take(self, word: PersonsWord, signers: Sequence[TargetSettings]) -> None:
        truth = self._services.truth
        whose = await self._whose(word, signers)
        target = next((one for one in signers if whose and one.name == whose.target), None)
        if whose is None or target is None:
            return
        # Of a reaction that may be anyone's, only a member who is named is believed.
        allowed = word.user in target.allowed_users
        if not allowed and (target.allowed_users or word.is_anyones):
            _log.info("slack: a member who may not answer wrote in a thread of %s", target.name)
            return
        escalation = await truth.escalation(whose.escalation_id)
        at, seen = self._services.clock(), turns_before(escalation, target.name, word.ts)
        try:
            if word.closes:
                await truth.resolve(escalation.id, at, via=target.name, seen=seen)
            else:
                reply = self._reply(word, escalation.id, escalation.newest_turn_id)
                await truth.reply(reply, resolve=False, at=at, via=target.name, seen=seen)
        except Conflict:
            _log.info("slack: a reply came again that is stored")
        bell = self._services.bell
        for topic in (OUTBOX, OPERATORS):
            bell.ring(topic)
        bell.ring(conversation_topic(escalation.site, escalation.conversation_id))

    async def _whose(self, word: PersonsWord, signers: Sequence[TargetSettings]) -> Threaded | None:
        """Whose thread it is.

        Of one that is not known and may be ours it is waited for where it has just begun, as time
        allows, and else asked of Slack.
        """
        truth, thread = self._services.truth, word.thread
        whose = await truth.threaded(thread)
        ours = [target for target in signers if target.channel == thread.channel]
        if whose is not None or not ours or not word.may_be_ours:
            return whose
        if self._services.clock() - _seconds(thread.ts) > NEW_S:
            return await self._found(thread, ours[0].name)
        with self._services.bell.listen(OPERATORS) as ear:
            while (whose := await truth.threaded(thread)) is None:
                await ear.wait(LOOK_S)
        return whose

    async def _found(self, thread: Thread, name: str) -> Threaded | None:
        """What Slack says of which escalation a thread is, where that went to one of ours there."""
        truth, target = self._services.truth, self._services.targets.get(name)
        if target is None or not isinstance(target, Finder):
            return None
        found = await target.find(thread, self._services.clock())
        if found is None:
            return None
        try:
            escalation = await truth.escalation(found)
        except NotFound:
            return None
        names = {one.target for one in escalation.deliveries if one.kind == target.kind}
        channel = {one.name for one in self._targets if one.channel == thread.channel}
        whose = next((Threaded(found, one) for one in sorted(names & channel)), None)
        if whose is not None:
            await truth.keep_thread(thread, whose)
        return whose

    def _reply(self, word: PersonsWord, escalation_id: str, turn_id: str) -> Reply:
        """A person's reply under the id that follows from its place in Slack."""
        place = f"{word.thread.team}\x1f{word.thread.channel}\x1f{word.ts}"
        digest = hashlib.sha256(place.encode()).digest()
        return Reply(
            id=new_id("h", _seconds(word.ts) * 1000, digest[:10]),
            escalation_id=escalation_id,
            turn_id=turn_id,
            author=word.author,
            content=word.content[: wire.MAX_CONTENT],
            created_at=timestamp(self._services.clock()),
        )


def turns_before(escalation: Escalation, target: str, ts: str) -> int:
    """How many of a case's turns stood in its thread before this place in Slack.

    The first always did. A turn counts from when its message began to be sent.
    """
    place = timestamp(float(ts)) if re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,6})?", ts) else ""
    return 1 + sum(
        one.target == target
        and (one.action, one.state) == ("added", "delivered")
        and one.attempts[-1].at <= place
        for one in escalation.deliveries
    )


def _seconds(ts: str) -> int:
    """The Unix seconds of a place in Slack, such as `1790000000.000100`."""
    seconds = ts.partition(".")[0]
    return int(seconds) if re.fullmatch("[0-9]{1,12}", seconds) else 0


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise problems.not_json("Slack sends JSON here.") from exc
    if not isinstance(value, dict):
        raise problems.not_json("Slack sends one JSON object here.")
    return value


def slack_routes(services: Services) -> list[Route]:
    """The route of this resource."""
    return [Route(PATH, SlackEvents(services).events, methods=["POST"])]
