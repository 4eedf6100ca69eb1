"""`fanlight kb suggest`: what it proposes, and what it writes when that is accepted."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.kb import kb_group
from gateway.cli.kb_files import read_files

FAQ = """locale: en

## Greeting {#hello}
- tags: system:greeting

Welcome.

## How do I cancel my order? {#cancel}
- also: undo a purchase

Within *30 days*.

## How do I change my order? {#change}
- also: a mistake in my basket
- escalate: always

Call us.

## How do I track my parcel? {#track}
- also: has it left yet

With the [link] in the mail.

## What is the delivery time? {#time}
- also: how many days

Three days.

## Is the shop open today? {#open}
- also: business hours

From nine.
"""
QUESTIONS = 'when is your shop open on mondays\n{"question": "how late is it open"}\nbake a cake\n'


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.md"
    path.write_text(FAQ, encoding="utf-8")
    (tmp_path / "asked.txt").write_text(QUESTIONS, encoding="utf-8")
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(kb_group, ["suggest", *(str(arg) for arg in args)])


def found(*args: object) -> dict[str, Any]:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_proposals_are_one_object_and_come_again(faq: Path) -> None:
    asked = faq.with_name("asked.txt")
    first = found(faq, "--questions", asked)
    assert list(first) == ["suggestions", "entries", "sources"]
    assert list(first["suggestions"][0]) == [
        "entry_id", "locale", "text", "source", "why", "confidence", "gain",
    ]  # fmt: skip
    assert "question" in first["sources"]
    assert sum(first["sources"].values()) == len(first["suggestions"])
    assert "hello" not in {one["entry_id"] for one in first["suggestions"]}
    assert first == found(faq, "--questions", asked)


def test_people_read_a_table_and_what_to_do_next(faq: Path) -> None:
    proposals = faq.with_name("s.jsonl")
    result = run(faq, "--questions", faq.with_name("asked.txt"), "--write-suggestions", proposals)
    assert result.exit_code == 0, result.output
    assert "propose" in result.stdout
    assert f"then --accept {proposals} --out FILE.jsonl" in result.stdout
    assert "proposing" in result.stderr
    assert proposals.read_text(encoding="utf-8").count("\n") >= 1


def test_nothing_to_propose_is_said(faq: Path) -> None:
    result = run(faq, "--fewer-than", 1)
    assert "proposals: 0 for 0 entries" in result.stdout
    assert "visitors' own questions help" in result.stdout


def test_what_is_left_in_the_file_is_put_in(faq: Path, tmp_path: Path) -> None:
    proposals, out = tmp_path / "s.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"entry_id": "open", "locale": "en", "text": "is the shop open late"},
        {"entry_id": "cancel", "locale": "en", "text": "HOW do I cancel my order"},
    ]
    proposals.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = found(faq, "--accept", proposals, "--out", out)
    assert [one["text"] for one in done["added"]] == ["is the shop open late"]
    assert [one["text"] for one in done["known"]] == ["HOW do I cancel my order"]
    before, after = read_files([faq], None).entries, read_files([out], None).entries
    assert [entry.id for entry in after] == [entry.id for entry in before]
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(one.id, one.variants) for one in changed] == [
        ("open", ("business hours", "is the shop open late"))
    ]
    again = run(out, "--accept", proposals, "--out", out)
    assert "0 ways to ask put into 0 entries, 2 were there already" in again.stdout


def test_all_is_all_but_what_visitors_asked(faq: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = run(
        faq, "--questions", faq.with_name("asked.txt"), "--accept", "all", "--out", out, "--json"
    )
    assert result.exit_code == 0, result.output
    done = json.loads(result.stdout)
    sources = {one["text"]: one["source"] for one in done["suggestions"]}
    assert "question" in sources.values()
    assert done["added"]
    assert all(sources[one["text"]] != "question" for one in done["added"])
    assert "questions of visitors" in result.stderr


def test_where_entries_were_imported_from_stays(tmp_path: Path) -> None:
    path, proposals = tmp_path / "kb.jsonl", tmp_path / "s.jsonl"
    row = {
        "id": "a", "locale": "en", "question": "Where is it?", "answer": "Here it is.",
        "origin": "https://a.example/faq", "source_hash": "abc",
    }  # fmt: skip
    path.write_text(json.dumps(row), encoding="utf-8")
    accepted = {"entry_id": "a", "locale": "en", "text": "find it"}
    proposals.write_text(json.dumps(accepted), encoding="utf-8")
    assert run(path, "--accept", proposals, "--out", path).exit_code == 0
    assert json.loads(path.read_text(encoding="utf-8")) == {**row, "variants": ["find it"]}


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        (("--accept", "all"), 2, "--accept and --out go together"),
        (("--out", "o.jsonl"), 2, "--accept and --out go together"),
        (("--accept", "all", "--out", "o.md"), 2, "must end in .jsonl"),
        (("--accept", "s", "--out", "o.jsonl", "--questions", "q"), 2, "proposes nothing"),
        (("--accept", "none.jsonl", "--out", "o.jsonl"), 1, "check the path"),
        (("--questions", "none.txt"), 1, "check the path"),
    ],
)
def test_what_does_not_go_together_is_refused(
    faq: Path, options: tuple[str, ...], code: int, reason: str
) -> None:
    result = run(faq, *options)
    assert result.exit_code == code
    assert reason in result.stderr


def test_one_of_several_files_is_not_written_over(faq: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("", encoding="utf-8")
    result = run(faq, other, "--accept", "all", "--out", other)
    assert result.exit_code == 2
    assert "would then be there twice" in " ".join(result.stderr.split())


def test_a_row_that_cannot_be_read_stops_the_writing(faq: Path, tmp_path: Path) -> None:
    faq.write_text(f"{FAQ}\n## Broken {{#b}}\n- link: [x](ftp://x)\n\nA\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    result = run(faq, "--accept", "all", "--out", out)
    assert result.exit_code == 1
    assert "mend the rows above first" in result.stderr
    assert not out.exists()


def test_an_accepted_line_for_no_entry_is_named(faq: Path, tmp_path: Path) -> None:
    proposals = tmp_path / "s.jsonl"
    proposals.write_text('{"entry_id": "x", "locale": "en", "text": "a"}', encoding="utf-8")
    result = run(faq, "--accept", proposals, "--out", tmp_path / "o.jsonl")
    assert result.exit_code == 1
    assert f"{proposals}:1: there is no entry 'x'" in " ".join(result.stderr.split())


def test_no_entry_and_no_place_to_write_are_said(faq: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.md"
    empty.write_text("", encoding="utf-8")
    assert "there is nothing to propose for" in run(empty).stderr
    blocked = run(faq, "--accept", "all", "--out", faq / "o.jsonl")
    assert "choose another name" in blocked.stderr
