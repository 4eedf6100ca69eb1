"""`fanlight kb check`: what it prints, and how it exits."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.kb import kb_group
from gateway.cli.kb_files import read_files
from kb import build_index
from kb.check import NO_MEANING

CLEAN = """locale: en

## How long does shipping take? {#shipping}
- also: how long is the shipping
- also: shipping, how long does it take

Three days, and four abroad.

## Can I return a broken lamp? {#return}
- also: return a broken lamp
- also: may I return the broken lamp

Yes, within *30 days*.
"""
DOUBLED = CLEAN + "\n## Shipping [time] {#twice}\n- also: HOW LONG is the shipping?\n\nTwo.\n"


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.md"
    path.write_text(CLEAN, encoding="utf-8")
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(kb_group, [str(arg) for arg in args])


def found(*args: object) -> dict[str, Any]:
    result = run("check", *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_one_json_object_holds_all_that_was_found(faq: Path) -> None:
    faq.write_text(DOUBLED, encoding="utf-8")
    result = found(faq)
    assert list(result) == [
        "release", "entries", "locales", "threshold", "seed", "problems", "hints", "findings",
        "risks", "rows", "notes",
    ]  # fmt: skip
    first = result["findings"][0]
    assert list(first) == ["severity", "kind", "entry_id", "locale", "others", "why", "remedy"]
    assert (first["kind"], first["entry_id"], first["others"]) == (
        "duplicate", "shipping", ["twice"],
    )  # fmt: skip
    assert result["problems"] + result["hints"] == len(result["findings"])
    assert {risk["entry_id"] for risk in result["risks"]} == {"shipping", "return", "twice"}
    assert result == found(faq)


def test_people_read_entry_why_and_remedy(faq: Path) -> None:
    faq.write_text(DOUBLED, encoding="utf-8")
    result = run("check", faq)
    assert result.exit_code == 0
    assert "✗ shipping (en)  duplicate" in result.stdout
    assert "is also a way to ask twice" in result.stdout
    assert "Keep it in one of shipping, twice, or join them." in result.stdout
    assert "· twice (en)  short answer" in result.stdout
    assert "entries: 3, problems: " in result.stdout
    assert "checking" in result.stderr


def test_only_problems_fail_and_only_when_strict(faq: Path) -> None:
    hints = found(faq, "--threshold", 0)
    assert hints["problems"] == 0
    assert run("check", faq, "--threshold", 0, "--strict").exit_code == 0
    faq.write_text(DOUBLED, encoding="utf-8")
    assert run("check", faq).exit_code == 0
    assert run("check", faq, "--strict").exit_code == 1


def test_a_row_that_cannot_be_read_is_told_and_fails_when_strict(faq: Path) -> None:
    faq.write_text(f"{CLEAN}\n## Broken {{#b}}\n- link: [x](ftp://x)\n\nA\n", encoding="utf-8")
    result = run("check", faq, "--threshold", 0, "--strict", "--json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)["rows"]) == 1
    assert "link 'ftp://x' must be" in result.stderr
    assert "rows that could not be read: 1" in run("check", faq).stdout


def test_a_ready_index_is_looked_at_with_its_files_or_without(faq: Path, tmp_path: Path) -> None:
    index = tmp_path / "site.idx"
    assert run("build", faq, "--out", index).exit_code == 0
    assert found("--index", index) == found(faq, "--index", index) == found(faq)


def test_an_index_of_other_entries_is_refused(faq: Path, tmp_path: Path) -> None:
    index = tmp_path / "site.idx"
    assert run("build", faq, "--out", index).exit_code == 0
    faq.write_text(DOUBLED, encoding="utf-8")
    result = run("check", faq, "--index", index)
    assert result.exit_code == 1
    assert "built from other entries than these files" in result.stderr


def test_nothing_to_check_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "faq.md"
    empty.write_text("", encoding="utf-8")
    result = run("check", empty)
    assert result.exit_code == 1
    assert "no entry could be read" in result.stderr
    assert run("check").exit_code == 2
    assert "No such file" in run("check", "--index", tmp_path / "none.idx").stderr


def test_what_could_not_be_looked_at_is_told(faq: Path, tmp_path: Path) -> None:
    index = tmp_path / "deaf.idx"
    index.write_bytes(build_index(read_files([faq], None).entries))
    assert NO_MEANING in run("check", "--index", index).stderr
    assert found("--index", index)["notes"] == [NO_MEANING]
