"""The bell: who is woken, who is not, and what happens when the process stops."""

import asyncio

from gateway.bell import Bell


async def test_a_ring_wakes_those_who_listen_to_its_topic() -> None:
    bell = Bell()
    with bell.listen("a") as a, bell.listen("b") as b:
        bell.ring("a")
        assert await a.wait(0.01) is True
        assert await b.wait(0.01) is False


async def test_a_ring_between_two_waits_is_kept() -> None:
    bell = Bell()
    with bell.listen("a") as a:
        bell.ring("a")
        bell.ring("a")
        await asyncio.sleep(0)
        assert await a.wait(0.01) is True
        assert await a.wait(0.01) is False


async def test_one_ear_hears_any_of_its_topics_and_leaves_nothing_behind() -> None:
    bell = Bell()
    with bell.listen("a", "b") as ear:
        for topic in ("a", "b", "a"):
            bell.ring(topic)
            assert await ear.wait(0.01) is True
        assert await ear.wait(0.01) is False
        assert {name: len(waiting) for name, waiting in bell._waiting.items()} == {"a": 1, "b": 1}
    assert not bell._waiting


async def test_nobody_listening_is_no_error() -> None:
    bell = Bell()
    bell.ring("nobody")
    with bell.listen("a") as a, bell.listen("a"):
        pass
    bell.ring("a")
    assert await a.wait(0.01) is False


async def test_a_closed_bell_wakes_everyone_at_once() -> None:
    bell = Bell()
    said = []
    with bell.listen("a") as a, bell.last_words(lambda: said.append("bye")):
        bell.close()
        assert await a.wait(60) is True
        assert await a.wait(60) is True
    bell.close()
    assert said == ["bye"]
