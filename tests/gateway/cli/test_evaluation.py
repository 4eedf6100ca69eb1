"""`fanlight eval`: what it prints, and what it says of files that will not do."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.evaluation import eval_group

FIGURES = [
    "top1", "top3", "auroc", "e2e", "coverage", "risk", "ece",
    "answered_in", "answered_out", "asked_back", "asked_right", "e2e_settled",
    "p50_ms", "p95_ms", "n",
]  # fmt: skip
WORDS = {
    "en": ("parcel", "invoice", "voucher"),
    "es": ("paquete", "factura", "cupón"),
}
STARTS = {
    "en": ("where is my", "tell me of a"),
    "es": ("dónde está mi", "háblame de un"),
}


def run_eval(*args: object) -> Result:
    return CliRunner().invoke(eval_group, [str(arg) for arg in args])


def found_in(result: Result) -> dict[str, float]:
    assert result.exit_code == 0, result.output
    figures: dict[str, float] = json.loads(result.stdout)
    return figures


def labelled(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode(), mtime=0))
    return path


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    known = [
        {"text": f"{start} {word}", "label": word, "bot": "b", "near": word == "voucher"}
        for word in WORDS["en"]
        for start in STARTS["en"]
    ]
    asked: list[dict[str, object]] = [
        {"text": "that invoice", "label": "invoice", "bot": "b"},
        {"text": "a voucher please", "label": "voucher", "bot": "b", "near": True},
        {"text": "black holes", "label": "none", "bot": "b", "answerable": False},
    ]
    return labelled(tmp_path / "kb.jsonl.gz", *known), labelled(tmp_path / "q.jsonl.gz", *asked)


@pytest.fixture
def bilingual(tmp_path: Path) -> tuple[Path, Path]:
    rows = [
        {"text": f"{start} {word}", "label": label, "lang": language}
        for language in ("en", "es")
        for word, label in zip(WORDS[language], WORDS["en"], strict=True)
        for start in STARTS[language]
    ]
    asked = [
        {"text": f"{word}, {word}", "label": label, "lang": language}
        for language in ("en", "es")
        for word, label in zip(WORDS[language], WORDS["en"], strict=True)
    ]
    return labelled(tmp_path / "kb.jsonl.gz", *rows), labelled(tmp_path / "q.jsonl.gz", *asked)


def test_evaluating_prints_the_figures(sets: tuple[Path, Path]) -> None:
    args = ("kb", "--kb", sets[0], "--queries", sets[1], "--where", "bot=b", "--near-oos", "near")
    found = found_in(run_eval(*args, "--json"))
    assert list(found) == FIGURES
    assert found["n"] == 3
    assert found["top1"] == 1
    assert "auroc" in run_eval(*args).stdout


def test_a_figure_that_cannot_be_had_is_a_dash(bilingual: tuple[Path, Path]) -> None:
    result = run_eval("kb", "--kb", bilingual[0], "--queries", bilingual[1])
    assert "auroc  -" in result.stdout


def test_each_side_is_kept_in_its_language(bilingual: tuple[Path, Path]) -> None:
    args = ("kb", "--kb", bilingual[0], "--queries", bilingual[1], "--json")
    across = found_in(run_eval(*args, "--kb-lang", "es", "--query-lang", "en"))
    assert across["n"] == 3
    assert across["top1"] is not None


def test_a_row_that_names_no_language_is_english(sets: tuple[Path, Path]) -> None:
    args = ("kb", "--kb", sets[0], "--queries", sets[1], "--json")
    assert found_in(run_eval(*args, "--kb-lang", "en", "--query-lang", "en"))["n"] == 3


def test_so_many_variants_are_drawn(sets: tuple[Path, Path]) -> None:
    args = ("kb", "--kb", sets[0], "--queries", sets[1], "--json")
    one, again = (found_in(run_eval(*args, "--variants", 1)) for _ in range(2))
    drawn = [name for name in FIGURES if not name.endswith("_ms")]
    assert [one[name] for name in drawn] == [again[name] for name in drawn]
    assert one["n"] == 3


def test_marked_queries_are_not_counted(sets: tuple[Path, Path]) -> None:
    args = ("kb", "--kb", sets[0], "--queries", sets[1], "--json")
    assert found_in(run_eval(*args, "--marked", 2))["n"] == 1


def test_marks_change_the_confidence(tmp_path: Path, sets: tuple[Path, Path]) -> None:
    wrong = [{"text": f"my invoice {n}", "label": "parcel"} for n in range(30)]
    queries = labelled(tmp_path / "wrong.jsonl.gz", *wrong)
    args = ("kb", "--kb", sets[0], "--queries", queries, "--json")
    bold, corrected = found_in(run_eval(*args)), found_in(run_eval(*args, "--marked", 25))
    assert corrected["ece"] < bold["ece"] - 0.2


def test_more_marks_than_queries_are_refused(sets: tuple[Path, Path]) -> None:
    for marks in (3, 4):
        result = run_eval("kb", "--kb", sets[0], "--queries", sets[1], "--marked", marks)
        assert result.exit_code == 1
        assert f"--marked {marks}: there are only 3 queries" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (("--where", "bot"), 2, "FIELD=VALUE"),
        (("--where", "bot=none"), 1, "kb.jsonl.gz: no row is left: check --where, --kb-lang"),
        (("--kb-lang", "he"), 1, "kb.jsonl.gz: no row is left: check --where, --kb-lang"),
        (("--query-lang", "he"), 1, "q.jsonl.gz: no row is left: check --where, --query-lang"),
        (("--variants", "0"), 2, "--variants"),
        (("--out-of-scope", "1"), 2, "--out-of-scope"),
    ],
)
def test_an_option_that_cannot_be_met_is_said(
    sets: tuple[Path, Path], options: tuple[str, str], code: int, reason: str
) -> None:
    result = run_eval("kb", "--kb", sets[0], "--queries", sets[1], *options)
    assert result.exit_code == code
    assert reason in result.stderr


def test_a_bad_labelled_row_is_named(tmp_path: Path, sets: tuple[Path, Path]) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "a"}\n', encoding="utf-8")
    result = run_eval("kb", "--kb", bad, "--queries", sets[1])
    assert result.exit_code == 1
    assert f"{bad}:1: the field 'label'" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bad.jsonl", b"\xff\n", "not UTF-8"),
        ("bad.jsonl.gz", b"plain", "not a whole gzip file"),
        (
            "bad.jsonl.gz",
            gzip.compress(b'{"text": "a", "label": "b"}', mtime=0)[:-9],
            "not a whole gzip",
        ),
        ("bad.jsonl", None, "check the path"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, sets: tuple[Path, Path], name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for args in (
        ("kb", "--kb", path, "--queries", sets[1]),
        ("retrieval", "--corpus", path, "--queries", sets[1]),
    ):
        result = run_eval(*args)
        assert result.exit_code == 1
        assert f"{path}: " in result.stderr
        assert reason in result.stderr


@pytest.fixture
def passages(tmp_path: Path) -> tuple[Path, Path]:
    corpus = labelled(
        tmp_path / "corpus.jsonl.gz",
        {"id": "ship", "text": "A parcel takes three days.", "lang": "en"},
        {"id": "back", "text": "You may return a product within a month.", "lang": "en"},
        {"id": "ship", "text": "El paquete tarda tres días.", "lang": "es"},
    )
    queries = labelled(
        tmp_path / "questions.jsonl.gz",
        {"passage": "ship", "question": {"en": "how many days", "es": "¿cuántos días tarda?"}},
        {"passage": "back", "question": {"en": "return it", "es": "devolver el producto"}},
    )
    return corpus, queries


def test_passages_are_measured_across_languages(passages: tuple[Path, Path]) -> None:
    found = found_in(
        run_eval(
            "retrieval", "--corpus", passages[0], "--queries", passages[1],
            "--corpus-lang", "en", "--query-lang", "es", "--json",
        )
    )  # fmt: skip
    assert list(found) == ["hit1", "hit5", "mrr", "p50_ms", "p95_ms", "n"]
    assert (found["hit1"], found["n"]) == (1, 2)


def test_labelled_texts_are_measured_by_their_labels(bilingual: tuple[Path, Path]) -> None:
    args = ("retrieval", "--corpus", bilingual[0], "--queries", bilingual[1])
    found = found_in(run_eval(*args, "--corpus-lang", "en", "--query-lang", "en", "--json"))
    assert (found["hit1"], found["mrr"], found["n"]) == (1, 1, 3)
    assert "mrr" in run_eval(*args).stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--query-lang", "es", "--corpus-lang", "fr"), "corpus.jsonl.gz: no row is left"),
        ((), "questions.jsonl.gz:1: the question is in en, es: choose one language"),
        (("--query-lang", "fr"), "questions.jsonl.gz:1: the field 'question'"),
    ],
)
def test_languages_that_are_not_there_are_said(
    passages: tuple[Path, Path], options: tuple[str, ...], reason: str
) -> None:
    result = run_eval("retrieval", "--corpus", passages[0], "--queries", passages[1], *options)
    assert result.exit_code == 1
    assert reason in result.stderr


def test_questions_of_another_language_leave_no_row(bilingual: tuple[Path, Path]) -> None:
    result = run_eval(
        "retrieval", "--corpus", bilingual[0], "--queries", bilingual[1], "--query-lang", "he"
    )
    assert result.exit_code == 1
    assert "q.jsonl.gz: no row is left: check the languages" in result.stderr


def test_confidence_and_turns_print_their_figures(tmp_path: Path) -> None:
    kb = labelled(
        tmp_path / "kb.jsonl.gz",
        *(
            {"question": f"What is a {word}?", "answer": f"A {word} is sent."}
            for word in WORDS["en"]
        ),
    )
    queries = labelled(
        tmp_path / "q.jsonl.gz",
        *({"q1": f"What is a {word}?", "q2": f"tell me of a {word}"} for word in WORDS["en"]),
    )
    turns, each = tmp_path / "turns.jsonl", tmp_path / "each.jsonl"
    made = run_eval("turns", "--kb", kb, "--queries", queries, "--out", turns, "--json")
    assert found_in(made)["turns"] == 6
    figures = found_in(run_eval("confidence", "--turns", turns, "--each", each, "--json"))
    assert set(figures) == {"auroc", "ece", "risk", "coverage", "right", "n", "p50_ms"}
    assert (figures["n"], figures["right"]) == (6, 0.5)
    assert len(each.read_text(encoding="utf-8").splitlines()) == 6
    assert "auroc" in run_eval("confidence", "--turns", turns).stdout


@pytest.mark.parametrize(("text", "said"), [("", "no turn"), ("{}\n", "line 1: `right`")])
def test_turns_that_will_not_do_are_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(text, encoding="utf-8")
    result = run_eval("confidence", "--turns", path)
    assert result.exit_code == 1
    assert said in result.output
