"""Turns of a small model, their labels by rule, and the fit over them."""

import json
from pathlib import Path

import pytest

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.device import FILE, SIGNALS, read_weights
from core.prompting.quoting import entry_text
from kb import Entry
from kb.bundled import load_bundled
from models.engines.llama import LlamaEngine, LlamaSettings
from models.local.fit import committed, fitted_anew, held_back, judged, lessons, signals_of
from models.local.knowledge import Place, Question, own_entries, places, split
from models.local.labels import Facts, is_right, read_facts
from models.local.others import read_others
from models.local.turns import index_of, turns
from scripts.stage_worker import ROOT

GOLD = "How do I return an order?\nSend it back within 30 days; the label is in the box."
DOGS = "Are dogs allowed?\nDogs cost 3 euros a night. They may not go to the beach in July."
SCORER = Scorer(Closeness(None), FITTED)


@pytest.mark.parametrize(
    ("reply", "gold", "right"),
    [
        ("You send it back within 30 days.", GOLD, True),
        ("Send it back within 30 days, the label is in the box.", GOLD, True),
        ("Send it back within 90 days.", GOLD, False),
        ("You may burn it in your garden within days.", GOLD, False),
        ("How do I return an order?", GOLD, False),
        ("I do not know.", GOLD, False),
        ("", GOLD, False),
        ("Send it back within 30 days.", None, False),
        ("Send it back within 30 days. " * 3, GOLD, False),
    ],
)
def test_a_reply_is_right_by_rule(reply: str, gold: str | None, right: bool) -> None:
    assert is_right("how do I return this order", reply, gold) is right


@pytest.mark.parametrize(
    ("question", "told", "reply", "right"),
    [
        ("what does that cost?", "3", "Dogs cost 3 euros a night.", True),
        ("what does that cost?", "3", "Dogs cost 5 euros a night.", False),
        ("what does that cost?", "3", "They may not go to the beach.", False),
        ("and for two nights?", "6", "Dogs cost 6 euros for two nights.", True),
        ("and at the beach in July?", "no & beach", "No, they may not go to the beach.", True),
        ("and at the beach in July?", "no & beach", "They may not go to the beach in July.", True),
        ("and at the beach in July?", "no & beach", "Yes, they may go to the beach.", False),
        ("and at the beach in July?", "no & beach", "They may go to the beach in July.", False),
        ("and at the beach in July?", "no & beach", "No.", False),
        ("are they allowed?", "yes & dogs", "Yes, dogs are allowed.", True),
        ("are they allowed?", "yes & dogs", "No, dogs are not allowed.", False),
        ("what does that cost?", "3", "Wonderful hotels far away cost 3 euros today.", False),
        ("what does that cost?", "3", "A cat of a king of a night is 3.", False),
    ],
)
def test_a_reply_has_the_facts_and_says_yes_or_no_as_the_entry_does(
    question: str, told: str, reply: str, right: bool
) -> None:
    assert is_right(question, reply, DOGS, read_facts(told)) is right


def test_facts_are_read_as_they_are_written() -> None:
    assert read_facts(" yes & 10 pm | ten ") == Facts((("10 pm", "ten"),), affirmed=True)
    assert read_facts("no & House C") == Facts((("house c",),), affirmed=False)
    assert read_facts("  ") is None


def test_what_is_asked_is_not_in_the_index_and_a_third_of_the_entries_neither() -> None:
    entries = own_entries()
    kept, asked = split(entries)
    known = {text for entry in kept for text in (entry.question, *entry.variants)}
    assert not known & {question.text for question in asked}
    hidden = {entry.id for entry in entries} - {entry.id for entry in kept}
    assert 0.3 < len(hidden) / len({entry.id for entry in entries}) < 0.4
    assert split(entries) == (kept, asked)


def test_every_ask_is_of_an_entry_and_each_place_has_some_that_nothing_answers() -> None:
    for place in places():
        ids = {(entry.id, entry.locale) for entry in place.entries}
        goes_on = [one for one in place.questions if one.earlier]
        assert all((one.entry_id, one.locale) in ids for one in goes_on)
        assert all(one.answerable == (one.facts is not None) for one in goes_on)
        assert not goes_on or 0 < sum(one.answerable for one in goes_on) < len(goes_on)


def test_the_facts_of_an_ask_stand_in_its_entry_or_follow_from_it() -> None:
    """Whoever copies the whole entry has them, but for numbers that are reckoned."""
    missing = [
        (one.entry_id, one.text)
        for place in places()
        for one in place.questions
        if one.facts and one.earlier and one.facts.affirmed is None
        if not is_right(one.text, one.earlier.answer, entry_text(one.earlier), one.facts)
    ]
    assert {text for _, text in missing} <= RECKONED


RECKONED = {
    "how many are they?",
    "¿y cuántos son?",
    "how much is it for two days?",
    "how much is that for two adults?",
    "what about three nights in summer?",
    "¿cuánto es eso por dos noches?",
}


def test_the_committed_labels_are_what_the_rule_says() -> None:
    asked = {
        (one.text, one.earlier.question if one.earlier else "", one.entry_id): (place, one)
        for place in places()
        for one in place.questions
    }
    for row in committed():
        place, question = asked[row["question"], row["earlier"], row["site"]]
        golds = [
            text
            for entry in place.entries
            if (entry.id, entry.locale) == (question.entry_id, row["locale"])
            for text in (entry_text(entry),)
            if text in row["passages"] and question.answerable
        ]
        gold = golds[0] if golds else None
        assert is_right(row["question"], row["reply"], gold, question.facts) is row["right"], row


def row(number: int, *, right: bool) -> dict[str, object]:
    return {
        "question": "how many days do I have to send it back?",
        "passages": [GOLD],
        "reply": "Send it back within 30 days." if right else "Pay 90 euros. Pay 90 euros.",
        "right": right,
        "site": f"entry-{number // 2}",
        "locale": "en",
        "style": "answerable",
        "retrieval": 0.6 if right else 0.2,
        "finish": "stop" if right else "length",
        "logprobs": [-10, -20] if right else [-100, -300],
        "earlier": "",
        "route": "local",
        "speaks": 0.5,
        "sentence": "Send it back within 30 days; the label is in the box.",
    }


def test_a_fit_tells_right_from_wrong_and_is_read_as_it_is_written() -> None:
    rows = [row(number, right=bool(number % 2)) for number in range(40)]
    kept, weights = fitted_anew(rows, SCORER)
    assert read_weights(json.dumps(kept)) == weights
    assert set(weights.told.weights) == SIGNALS
    held = [one for one in rows if held_back(one)]
    told = judged(held, SCORER, weights)
    assert told["told"]["all"]["auroc"] == told["untold"]["all"]["auroc"] == 1.0
    good, bad = (weights.told.probability(signals_of(SCORER, one)) for one in (rows[1], rows[0]))
    assert good > 0.5 > bad


def test_a_refusal_is_not_learnt_from() -> None:
    refused = {**row(1, right=False), "reply": "I do not know."}
    assert [each.row for each in lessons(SCORER, [refused, row(1, right=True)])] == [
        row(1, right=True)
    ]


def test_the_committed_weights_are_those_of_the_committed_turns_and_hold_on_other_entries() -> None:
    rows = committed()
    scorer = Scorer(Closeness(load_bundled()), FITTED)
    _, weights = fitted_anew(rows, scorer)
    kept = read_weights((ROOT / "core" / FILE).read_text(encoding="utf-8"))
    for mine, theirs in ((weights.told, kept.told), (weights.untold, kept.untold)):
        assert mine.bias == pytest.approx(theirs.bias, abs=0.01)
        assert dict(mine.weights) == pytest.approx(dict(theirs.weights), abs=0.01)
    told = judged([one for one in rows if held_back(one)], scorer, kept)
    for name in ("told", "untold"):
        assert told[name]["all"]["auroc"] > 0.75
        assert told[name]["all"]["ece"] < 0.12
        # What is shown is right more often than not.
        assert told[name]["all"]["risk"] < 0.45


def test_another_sites_pairs_become_questions(tmp_path: Path) -> None:
    kb, queries = tmp_path / "kb.jsonl", tmp_path / "q.jsonl"
    kb.write_text('{"question": "How long?", "answer": "Two days."}\n', encoding="utf-8")
    pairs = [
        {"q1": "how long", "q2": "what time does it take", "similar": 1},
        {"q1": "How long?", "q2": "who are you", "similar": 0},
        {"q1": "Wie lange?", "q2": "Wann?", "similar": 1, "lang": "de"},
    ]
    queries.write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    site = read_others(kb, queries)
    assert [entry.answer for entry in site.entries] == ["Two days."]
    assert {(one.text, one.entry_id) for one in site.questions} == {
        ("what time does it take", "entry-0"),
        ("who are you", "none-entry-0"),
    }
    kb.write_text('{"question": "How long?"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"kb\.jsonl:1.*answer"):
        read_others(kb, queries)


@pytest.mark.needs("weights")
async def test_a_real_small_model_is_asked_and_labelled(smollm2: Path) -> None:
    entry = Entry("days", "en", "How long is it?", "It takes two days. It costs 5 euros.")
    asked = Question("and what does it cost?", "days", "en", entry, read_facts("5"))
    place = Place("Shop", (entry,), (asked,))
    engine = LlamaEngine(smollm2, LlamaSettings("llama", context=640, threads=2))
    await engine.load()
    try:
        (made,) = [turn async for turn in turns(engine, place, index_of(place), place.questions)]
    finally:
        await engine.unload()
    assert made.style == "answerable"
    assert (made.earlier, made.sentence) == ("How long is it?", "It costs 5 euros.")
    assert made.reply
    assert made.logprobs
    assert all(value <= 0 for value in made.logprobs)
