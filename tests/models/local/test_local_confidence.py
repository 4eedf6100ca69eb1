"""Turns of a small model, their labels by rule, and the fit over them."""

import json
from pathlib import Path

import pytest

from core.confidence import FITTED, Closeness, Scorer
from core.confidence.device import SIGNALS, read_weights
from kb import Entry, build_index, load_index
from kb.bundled import load_bundled
from models.engines.llama import LlamaEngine, LlamaSettings
from models.local.fit import TURNS, committed, fitted_anew, judged, lessons, signals_of
from models.local.labels import is_right
from models.local.others import Question, read_others
from models.local.scripted import scripted
from models.local.turns import own_entries, split, turns

GOLD = "How do I return an order?\nSend it back within 30 days; the label is in the box."
ENTRIES = [
    Entry("pay", "en", "How do I pay?", "By card."),
    Entry("long", "en", "How long is the belt?", "It takes a metre."),
]
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
    ],
)
def test_a_reply_is_right_by_rule(reply: str, gold: str | None, right: bool) -> None:
    assert is_right("how do I return this order", reply, gold) is right


def test_what_is_asked_is_not_in_the_index_and_a_third_of_the_entries_neither() -> None:
    entries = own_entries()
    kept, asked = split(entries)
    known = {text for entry in kept for text in (entry.question, *entry.variants)}
    assert not known & {question.text for question in asked}
    hidden = {entry.id for entry in entries} - {entry.id for entry in kept}
    assert 0.3 < len(hidden) / len({entry.id for entry in entries}) < 0.4
    assert split(entries) == (kept, asked)


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
    }


def test_a_fit_tells_right_from_wrong_and_is_read_as_it_is_written() -> None:
    rows = [row(number, right=bool(number % 2)) for number in range(40)]
    kept, told = fitted_anew(rows, SCORER)
    weights = read_weights(json.dumps(kept))
    assert set(weights.told.weights) == SIGNALS
    assert told["told"]["real"]["auroc"] == told["untold"]["real"]["auroc"] == 1.0
    good, bad = (weights.told.probability(signals_of(SCORER, one)) for one in (rows[1], rows[0]))
    assert good > 0.5 > bad


def test_replies_by_rule_weigh_as_much_as_the_models_and_say_nothing_of_likelihoods() -> None:
    real = [row(number, right=bool(number % 2)) for number in range(4)]
    ruled = [{**row(number, right=False), "logprobs": []} for number in range(8)]
    learnt = lessons(SCORER, [*real, *ruled])
    assert [each.weight for each in learnt] == [1.0] * 4 + [0.5] * 8
    usual = sum(each.seen["sure"] for each in learnt[:4]) / 4
    assert {each.seen["sure"] for each in learnt[4:]} == {usual}


def test_the_committed_weights_tell_right_from_wrong_in_what_they_were_fitted_on() -> None:
    rows = [row for name in TURNS for row in committed(name)]
    told = judged(rows, Scorer(Closeness(load_bundled()), FITTED))
    for figures in told.values():
        assert figures["real"]["auroc"] > 0.8
        assert figures["real"]["ece"] < 0.15


def test_a_scripted_reply_is_a_sentence_of_the_right_entry_or_wrong() -> None:
    kept = [Entry("days", "en", "How long?", "Hello there. It takes two days."), *ENTRIES]
    index = load_index(build_index(kept))
    made = list(scripted(index, [Question("how long does it take", "days", "en")]))
    assert [(one.reply, one.right) for one in made if one.right] == [("It takes two days.", True)]
    assert made[0].reply == made[0].question
    assert not made[0].right


def test_another_sites_pairs_become_questions(tmp_path: Path) -> None:
    kb, queries = tmp_path / "kb.jsonl", tmp_path / "q.jsonl"
    kb.write_text('{"question": "How long?", "answer": "Two days."}\n', encoding="utf-8")
    pairs = [
        {"q1": "how long", "q2": "what time does it take", "similar": 1},
        {"q1": "How long?", "q2": "who are you", "similar": 0},
        {"q1": "Wie lange?", "q2": "Wann?", "similar": 1, "lang": "de"},
    ]
    queries.write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    entries, asked = read_others(kb, queries)
    assert [entry.answer for entry in entries] == ["Two days."]
    assert {(one.text, one.entry_id) for one in asked} == {
        ("what time does it take", "entry-0"),
        ("who are you", "none-entry-0"),
    }
    kb.write_text('{"question": "How long?"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"kb\.jsonl:1.*answer"):
        read_others(kb, queries)


@pytest.mark.needs("weights")
async def test_a_real_small_model_is_asked_and_labelled(smollm2: Path) -> None:
    index = load_index(build_index([Entry("days", "en", "How long is it?", "It takes two days.")]))
    engine = LlamaEngine(smollm2, LlamaSettings("llama", context=640, threads=2))
    await engine.load()
    try:
        asked = [Question("how long does it take?", "days", "en")]
        (made,) = [turn async for turn in turns(engine, index, asked)]
    finally:
        await engine.unload()
    assert made.style == "answerable"
    assert made.reply
    assert made.logprobs
    assert all(value <= 0 for value in made.logprobs)
