"""Streams that are late or fail, and those that come in time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.errors import Unavailable
from core.ports import Piece
from gateway.pipeline.deadlines import Deadlines, Hurry

QUICK = Deadlines(first_s=0.05, between_s=0.05, total_s=0.2)


async def paced(*pauses_s: float) -> AsyncIterator[Piece]:
    """A piece after each pause."""
    for number, pause_s in enumerate(pauses_s):
        await asyncio.sleep(pause_s)
        yield Piece(str(number))


async def read(*pauses_s: float) -> str:
    """The text that came in time."""
    return "".join([piece.text async for piece in Hurry(QUICK).over(paced(*pauses_s))])


async def test_pieces_in_time_all_come() -> None:
    assert await read(0, 0, 0) == "012"
    assert await read() == ""


@pytest.mark.parametrize("pauses_s", [(1.0,), (0.0, 1.0), (0.04,) * 9])
async def test_a_late_stream_is_unavailable(pauses_s: tuple[float, ...]) -> None:
    with pytest.raises(Unavailable):
        await read(*pauses_s)


async def test_the_source_is_closed_when_it_is_late() -> None:
    closed = False

    async def source() -> AsyncIterator[Piece]:
        nonlocal closed
        try:
            yield Piece("a")
            await asyncio.sleep(3600)
        finally:
            closed = True

    with pytest.raises(Unavailable):
        async for _ in Hurry(QUICK).over(source()):
            pass
    assert closed


class Bare:
    """An async iterator that cannot be closed."""

    def __aiter__(self) -> AsyncIterator[Piece]:
        return self

    async def __anext__(self) -> Piece:
        raise StopAsyncIteration


async def test_a_source_that_cannot_be_closed_is_fine() -> None:
    assert [piece async for piece in Hurry(QUICK).over(Bare())] == []


async def test_a_turn_can_be_cut_short_while_it_waits() -> None:
    hurry = Hurry(Deadlines(first_s=60, between_s=60, total_s=60))
    asyncio.get_running_loop().call_later(0.05, hurry.cut, 0.05)
    with pytest.raises(Unavailable):
        async for _ in hurry.over(paced(30.0)):
            pass


async def test_what_was_cut_before_it_waits_ends_soon() -> None:
    hurry = Hurry(Deadlines(first_s=60, between_s=60, total_s=60))
    hurry.cut(0.05)
    with pytest.raises(Unavailable):
        async for _ in hurry.over(paced(30.0)):
            pass
