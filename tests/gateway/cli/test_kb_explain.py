"""`fanlight kb explain`: what it prints, and what the gate is said to decide."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.builders import meaning
from gateway.cli.kb import kb_group
from kb import Entry, build_index, load_index

ENTRIES = (
    Entry("shipping", "en", "How long does shipping take?", "Three days.", ("when does it come",)),
    Entry("return", "en", "Can I return it?", "Yes.", ("[refund] please",)),
    Entry("twin", "en", "Another thing", "No.", ("when does it come",)),
    Entry("person", "en", "I want to talk to a person", "At once.", escalate=True),
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "site.idx"
    path.write_bytes(build_index(ENTRIES, embedding=meaning()))
    return path


def run(index: Path, *args: object) -> Result:
    args = ("explain", "--index", index, *args)
    return CliRunner().invoke(kb_group, [str(arg) for arg in args])


def found(index: Path, *args: object) -> dict[str, Any]:
    result = run(index, *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_one_json_object_holds_every_step(index: Path) -> None:
    result = found(index, "can I return a lamp")
    assert list(result) == [
        "question", "said", "release", "language", "hearing", "words", "dropped", "candidates",
        "none", "correction", "gate",
    ]  # fmt: skip
    first = result["candidates"][0]
    hit = load_index(index.read_bytes(), meaning()).search("can I return a lamp")[0]
    assert first["entry_id"] == hit.entry.id == "return"
    assert first["confidence"] == pytest.approx(hit.confidence, abs=1e-6)
    total = sum(signal["contribution"] for signal in first["signals"].values())
    assert first["utility"] == pytest.approx(total, abs=1e-5)
    assert result["gate"]["entry_id"] == "return"


@pytest.mark.parametrize(
    ("question", "threshold", "reasons", "said"),
    [
        ("Can I return it?", 0.55, [], "reaches the threshold 0.55: its answer is shown"),
        ("Can I return it?", 1, ["low_confidence"], "below the threshold 1: a person is asked"),
        ("I want to talk to a person", 0.5, ["always"], "is shown, and a person is told"),
    ],
)
def test_the_gates_verdict_is_put_in_words(
    index: Path, question: str, threshold: float, reasons: list[str], said: str
) -> None:
    gate = found(index, question, "--threshold", threshold)["gate"]
    assert gate["reasons"] == reasons
    assert gate["answers"] is ("low_confidence" not in reasons)
    assert said in gate["why"]
    assert said in run(index, question, "--threshold", threshold).stdout


def test_a_question_without_a_word_finds_nothing(index: Path) -> None:
    assert found(index, "?!")["gate"]["reasons"] == ["no_match"]
    assert "Nothing was found: a person is asked." in run(index, "?!").stdout


def test_people_read_words_candidates_and_signals(index: Path) -> None:
    printed = run(index, "What's a [refund] https://a.example?").stdout
    for text in ("language: en", "refund", "not compared: s, https, a, example", "none of them"):
        assert text in printed
    assert "word best" in printed
    assert "[refund] please" in printed


def test_an_exact_match_is_noted(index: Path) -> None:
    printed = run(index, "when does it come?").stdout
    assert "exact match, whatever the signals say: shipping, twin; they share" in printed


def test_a_long_question_is_cut_in_the_tables_alone(index: Path) -> None:
    question = " ".join(f"word{number}" for number in range(120))
    printed = run(index, question).stdout
    assert "and 84 more" in printed
    assert "word107 …" in printed
    assert len(found(index, question)["words"]) == 96


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.idx"
    path.write_bytes(b"no")
    result = run(path, "hello")
    assert result.exit_code == 1
    assert "not an index" in result.stderr
