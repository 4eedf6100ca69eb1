"""How a process learns what is lent: once of each answer, and never at the cost of all others."""

import asyncio
from dataclasses import replace

from core.messages import MemoryTurn
from core.truth import Truth
from gateway.adapters.memory import MemoryTruth
from gateway.pipeline.bank import Bank, BankRules
from kb import Entry, build_index, load_index
from tests.congruence.samples import (
    NOON,
    StandingClock,
    a_reply,
    a_request,
    a_turn,
    a_way,
    a_work,
    named,
    opened,
)
from tests.gateway.world import ENTRIES

RULES = BankRules(days=90, most=300)
TAIL = (MemoryTurn("user", "my parcel is late " * 40),)


class Shelf:
    """The index of a site, which can be replaced, and the questions that were embedded."""

    def __init__(self) -> None:
        self.index = load_index(build_index(ENTRIES))
        self.embedded: list[str] = []

    def embed(self, question: str) -> list[float]:
        """A vector that is like every other."""
        self.embedded.append(question)
        return [1.0]


async def closed(truth: Truth, number: int, content: str = "It leaves tomorrow.") -> None:
    """A case that a person has answered."""
    request = a_request(number, number, conversation_tail=TAIL, question=f"question {number}")
    turn = a_turn(number, number, escalate=True, reply="")
    work = a_work(f"k{number}", turn=turn, escalation=opened(number, request))
    await truth.commit(replace(work, trajectory=a_way(number, number, escalated=True)))
    made = replace(a_reply(number, number, content), turn_id=named("t", number))
    await truth.reply(made, resolve=True, at=NOON + number)


def bank_of(truth: Truth, shelf: Shelf) -> Bank:
    return Bank(truth.bank, RULES, {"site_a": lambda: shelf.index}, shelf.embed, StandingClock())


async def test_each_answer_is_looked_through_once() -> None:
    truth, shelf = MemoryTruth(clock=StandingClock()), Shelf()
    bank = bank_of(truth, shelf)
    await closed(truth, 1)
    await bank.look()
    await bank.look()
    await closed(truth, 2)
    await bank.look()
    assert shelf.embedded == ["question 1", "question 2"]
    again = replace(a_reply(9, 2, "By ship, it seems."), turn_id=named("t", 2))
    await truth.reply(again, resolve=True, at=NOON + 9)
    await bank.look()
    assert shelf.embedded[2:] == ["question 2"], "what was replied to it is another answer"


async def test_what_the_site_publishes_later_is_lent_then() -> None:
    truth, shelf = MemoryTruth(clock=StandingClock()), Shelf()
    bank = bank_of(truth, shelf)
    await closed(truth, 1, "Bring form IL-77 for that.")
    await bank.look()
    assert shelf.embedded == []
    assert await bank.alike("site_a", "question 1") == ()
    form = Entry("form", "en", "Which form is it?", "Form IL-77.")
    shelf.index = load_index(build_index([*ENTRIES, form]))
    await bank.look()
    assert [one.answer for one in await bank.alike("site_a", "question 1")] == [
        "Bring form IL-77 for that."
    ]
    shelf.index = load_index(
        build_index([*ENTRIES, replace(form, answer="A.", variants=("IL-77",))])
    )
    await bank.look()
    assert await bank.alike("site_a", "question 1") == (), "nobody is shown a variant"


async def test_others_have_the_loop_between_two_answers() -> None:
    truth, shelf = MemoryTruth(clock=StandingClock()), Shelf()
    for number in range(1, 21):
        await closed(truth, number)
    bank, turns = bank_of(truth, shelf), 0
    for step in (bank.look(), bank.answers("site_a")):
        before, going = turns, asyncio.ensure_future(step)
        while not going.done():
            await asyncio.sleep(0)
            turns += 1
        await going
        assert turns - before >= 20
