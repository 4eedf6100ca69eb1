"""The visitors of `fanlight bench soak`: they come, talk in English and Spanish, and go.

Decides what they ask: what the knowledge base knows, what only a model may, simple and hard, and
what neither does; every other visitor hears streams, as the panel does. A visitor has a key, a
session that is renewed, and some conversations of ten turns; then another comes in its place. Their
words are a hundred or two, as a site's are some thousand: what is remembered of them fills up once.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from gateway.adapters.visitor import Visitor
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.overload import Memory
from gateway.cli.bench.servers import SITE
from gateway.cli.output import Report

TURNS: Final = 10
CONVERSATIONS: Final = 5
MOST_ERRORS: Final = 100
_HARD: Final = (
    "Compare garden lamps {n} and {m} step by step: weigh the gauge of their wire and the moss on "
    "their glass, explain which of them suits outdoors in winter, and derive which lasts longer."
)
ASKED: Final = (
    ("en", "Which gauge of wire suits garden lamp {n} outdoors in winter?"),
    ("es", "¿Qué grosor de cable conviene a la lámpara de jardín {n} en invierno?"),
    ("en", "Does it work offline?"),
    ("en", _HARD),
    ("es", "¿Funciona sin conexión?"),
    ("en", "Who was the mother of king number {n} of Mongolia?"),
)
_LAMPS, _OTHERS = 89, 97
_DONE: Final = "event: done"


@dataclass
class Talks:
    """Visitors at one gateway until `turns` are answered, and what they saw.

    `memory` becomes the gateway's resident memory in megabytes by the turns answered, so many times
    as `samples` says.
    """

    client: httpx.AsyncClient
    port: int
    turns: int
    watched: Memory | None
    samples: int
    report: Report
    acknowledged: set[str] = field(default_factory=set)
    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    memory: dict[int, float] = field(default_factory=dict)
    tiers: dict[str, int] = field(default_factory=dict)
    subjects: int = 0
    seconds: float = 0.0
    _numbers: count[int] = field(default_factory=count)

    async def visitors(self, place: int) -> None:
        """One after the other until there are turns enough; raises `BenchError`."""
        while len(self.took) < self.turns:
            self.subjects += 1
            visitor = Visitor(self.client, f"http://localhost:{self.port}", SITE)
            await visitor.open_session()
            for number in range(CONVERSATIONS):
                await self._converse(visitor, stream=(place + number) % 2 == 0)

    def add(self, others: Talks) -> None:
        """Count what others were told of, and their failures, among these."""
        self.acknowledged |= others.acknowledged
        self.errors += others.errors
        self.subjects += others.subjects

    async def _converse(self, visitor: Visitor, *, stream: bool) -> None:
        conversation = visitor.new_id("c")
        for _ in range(TURNS):
            if len(self.took) >= self.turns:
                return
            number = next(self._numbers)
            locale, question = ASKED[number % len(ASKED)]
            await visitor.keep_session()
            body = visitor.chat_body(
                question.format(n=number % _LAMPS, m=number % _OTHERS),
                stream=stream,
                locale=locale,
                conversation_id=conversation,
            )
            await self._ask(visitor, body)

    async def _ask(self, visitor: Visitor, body: dict[str, Any]) -> None:
        began = time.perf_counter()
        try:
            response = await visitor.call("POST", "/v1/chat", body, key=secrets.token_urlsafe(16))
            turn = _turn(response)
        except httpx.TransportError as error:
            turn, response = None, None
            self.errors[type(error).__name__] += 1
        took = time.perf_counter() - began
        if turn is None:
            if response is not None:
                self.errors[f"{response.status_code} {response.text[:80]}"] += 1
            if self.errors.total() > MOST_ERRORS:
                raise BenchError(f"the gateway does not answer: {self.errors.most_common(3)}")
            return
        if turn["id"] != body["turn_id"]:
            raise BenchError(f"{body['turn_id']} was answered as {turn['id']}")
        self.acknowledged.add(turn["id"])
        self.took.append(took)
        self._look()

    def _look(self) -> None:
        done = len(self.took)
        every = max(1, self.turns // self.samples)
        if self.watched is not None and done % every == 0 and done <= self.turns:
            self.memory[done] = round(self.watched.now() / 1e6, 2)
            self.report(f"{done:,} turns", done / self.turns)


def _turn(response: httpx.Response) -> dict[str, Any] | None:
    """The turn that a visitor was told of, whole or at the end of a stream; None where none was."""
    if response.status_code != 200:
        return None
    if response.headers["content-type"].startswith("application/json"):
        whole: dict[str, Any] = response.json()
        return whole
    _, found, rest = response.text.rpartition(_DONE)
    if not found:
        return None
    told: dict[str, Any] = json.loads(rest.partition("data: ")[2].partition("\n")[0])["turn"]
    return told
