"""A question that has passed the gate, for the tests of one stage."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from core.messages import ChatRequest, MemoryTurn
from core.ports import Piece
from core.respond import respond
from gateway.pipeline.state import Emit, Site, TurnState
from kb import Index, build_index, load_index
from tests.gateway.world import ENTRIES, START

UNKNOWN = "zxqv unknown thing"
INDEX = load_index(build_index(ENTRIES))


def asked(
    question: str = UNKNOWN,
    *,
    memory: Sequence[MemoryTurn] = (),
    emit: Emit = lambda _: None,
    index: Index = INDEX,
    max_tokens: int = 64,
) -> TurnState:
    """The state of this question, without deadlines."""
    request = ChatRequest(
        turn_id="t_1",
        conversation_id="c_1",
        question=question,
        locale="en",
        question_locale=None,
        training_memory=tuple(memory),
        gate=None,
        stream=False,
        max_tokens=max_tokens,
    )
    site = Site("site_demo", "Shop", index, 0.55, 1024)
    response = respond(index, question, locale="en")
    return TurnState(request, site, response, emit, _over, lambda: START)


async def _over(pieces: AsyncIterator[Piece]) -> AsyncGenerator[Piece, None]:
    async for piece in pieces:
        yield piece
