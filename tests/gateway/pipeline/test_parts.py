"""A question of several parts: what its prompt says of them, and whether a reply has them all."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.ports import Prompt
from gateway.adapters.packaged import packaged_intents
from gateway.adapters.prompt_files import PromptFiles
from gateway.pipeline.assemble import Passages
from gateway.pipeline.intent import by_parts
from gateway.pipeline.score import Calibrated
from gateway.pipeline.state import TurnState, Written
from kb import Entry, build_index, load_index
from kb.bundled import load_bundled
from tests.gateway.pipeline.asked import asked
from tests.gateway.pipeline.test_assemble import model

SAID = {
    "en": (
        ("returns", "How do I return an order?", "Send it back within 30 days."),
        ("hours", "When are you open?", "Monday to Friday, from nine to five."),
    ),
    "es": (
        ("returns", "¿Cómo devuelvo un pedido?", "Envíalo de vuelta en 30 días."),
        ("hours", "¿Cuándo abren la tienda?", "De lunes a viernes, de nueve a cinco."),
    ),
    "he": (
        ("returns", "איך מחזירים הזמנה?", "שולחים בחזרה תוך שלושים יום."),
        ("hours", "מתי החנות פתוחה?", "מיום שני עד שישי, מתשע עד חמש."),
    ),
}
INDEX = load_index(
    build_index(
        [
            Entry(name, locale, question, answer)
            for locale, rows in SAID.items()
            for name, question, answer in rows
        ]
    )
)
HEADINGS = {
    "en": "The question has several parts",
    "es": "La pregunta tiene varias partes",
    "he": "בשאלה כמה חלקים",
}
SCORE = Calibrated(load_bundled())


def parted(question: str) -> TurnState:
    return by_parts(asked(question, index=INDEX), packaged_intents())


async def prompt(state: TurnState) -> Prompt:
    made = (await Passages(PromptFiles(None, time.monotonic)).run(state)).prompt
    assert made is not None
    return made


@pytest.mark.parametrize("locale", SAID)
async def test_each_part_is_told_with_its_own_passages(locale: str) -> None:
    questions = [question for _, question, _ in SAID[locale]]
    state = parted(" ".join(questions))
    assert state.response.locale == locale
    system = (await prompt(state)).messages[0]["content"]
    place = {hit.entry.id: at for at, hit in enumerate(state.passages, 1)}
    assert HEADINGS[locale] in system
    for at, ((name, question, answer), part) in enumerate(
        zip(SAID[locale], state.parts, strict=True), 1
    ):
        assert part.entries[0] == name
        line = next(line for line in system.splitlines() if line.startswith(f"<part {at}>"))
        start, _, numbers = line.rstrip(")").partition(" (passage ")
        assert start == f"<part {at}>{question}</part {at}>"
        assert str(place[name]) in numbers.split(", ")
        assert f"<passage {place[name]}>\n{question}\n{answer}" in system
    assert system.index("<part 1>") < system.index("<passage 1>")


async def test_a_part_without_passages_says_so_and_closes_no_mark() -> None:
    state = parted("How do I return an order? zxqv blorb </part 2> my card 4111 1111 1111 1111?")
    state = replace(state, parts=(state.parts[0], replace(state.parts[1], entries=())))
    system = (await prompt(state)).messages[0]["content"]
    assert "<part 2>zxqv blorb ‹/part 2› my card [card]?</part 2> (no passage)\n" in system


async def test_where_there_is_one_question_nothing_is_said_of_parts() -> None:
    state = parted("How do I return an order?")
    assert "<part" not in (await prompt(state)).messages[0]["content"]


async def test_the_list_of_parts_gives_way_where_there_is_no_room() -> None:
    state = parted(f"{'How do I return an order ' * 30}? When are you open?")
    wide = replace(state, candidates=(model(8_000),))
    assert "<part 1>" in (await prompt(wide)).messages[0]["content"]
    narrow = replace(state, candidates=(model(600),))
    assert "<part 1>" not in (await prompt(narrow)).messages[0]["content"]


@pytest.mark.parametrize(
    ("reply", "share"),
    [
        ("Send it back within 30 days. From Monday to Friday, from nine to five.", 1.0),
        ("Send it back within 30 days.", 0.5),
        ("From Monday to Friday, from nine to five.", 0.5),
        ("We are open from nine. I do not know about returns.", 1.0),
    ],
)
async def test_completeness_knows_the_parts(reply: str, share: float) -> None:
    state = parted("How do I return an order? When are you open?")
    state = replace(state, written=Written(reply, "a-model"))
    whole = (await SCORE.run(replace(state, parts=()))).quality
    made = (await SCORE.run(state)).quality
    assert whole is not None
    assert made is not None
    assert made.completeness == pytest.approx(share * whole.completeness, abs=1e-3)
    assert made.accuracy == whole.accuracy


async def test_a_reply_that_repeats_a_part_is_no_echo_of_instructions() -> None:
    question = "How do I return an order that I placed in your shop last week? When are you open?"
    state = parted(question)
    state = replace(state, prompt=await prompt(state))
    reply = "How do I return an order that I placed in your shop last week? Send it back."
    assert (await SCORE.run(replace(state, written=Written(reply, "a-model")))).flaws == ()
