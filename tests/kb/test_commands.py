import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import kb
from gateway.cli.kb import kb_group

FAQ = """locale: en

## How long does shipping take? {#shipping}
- also: when will it arrive

Three days.

## Can I return it? {#return}

Yes, within *30 days*.
"""


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.md"
    path.write_text(FAQ, encoding="utf-8")
    return path


@pytest.fixture
def index(tmp_path: Path, faq: Path) -> Path:
    out = tmp_path / "made" / "site.idx"
    assert run_kb("build", faq, "--out", out).exit_code == 0
    return out


def run_kb(*args: object) -> Result:
    return CliRunner().invoke(kb_group, [str(arg) for arg in args])


def test_building_writes_an_index_that_loads(index: Path) -> None:
    assert len(kb.load_index(index.read_bytes())) == 2
    assert [path.name for path in index.parent.iterdir()] == ["site.idx"]


def test_building_prints_one_json_object(tmp_path: Path, faq: Path) -> None:
    result = run_kb("build", faq, "--out", tmp_path / "x.idx", "--json")
    found = json.loads(result.stdout)
    assert found["entries"] == 2
    assert found["locales"] == ["en"]
    assert found["problems"] == []
    assert found["bytes"] == (tmp_path / "x.idx").stat().st_size


def test_files_of_every_format_are_joined(tmp_path: Path, faq: Path) -> None:
    table = tmp_path / "more.csv"
    table.write_text("question,answer\nQ,A\n", encoding="utf-8")
    rows = tmp_path / "rows.jsonl.gz"
    rows.write_bytes(gzip.compress(json.dumps({"question": "R", "answer": "A"}).encode(), mtime=0))
    result = run_kb("build", faq, table, rows, "--locale", "es", "--out", tmp_path / "x.idx")
    assert result.exit_code == 0
    assert "4 entries in en, es" in result.stdout


def test_a_bad_row_is_said_and_the_rest_still_builds(tmp_path: Path, faq: Path) -> None:
    faq.write_text(f"{FAQ}\n## Broken {{#broken}}\n- link: [x](ftp://x)\n\nA\n", encoding="utf-8")
    out = tmp_path / "x.idx"
    result = run_kb("build", faq, "--out", out)
    assert result.exit_code == 0
    assert f"{faq}:12: link 'ftp://x' must be" in result.stderr
    out.unlink()
    strict = run_kb("build", faq, "--out", out, "--strict")
    assert strict.exit_code == 1
    assert "--strict" in strict.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("faq.txt", b"x", "must end in one of .md"),
        ("faq.md", b"", "no entry could be read"),
        ("faq.md", b"## \xff\n", "not UTF-8"),
        ("faq.csv.gz", b"plain", "not a whole gzip file"),
        (
            "faq.csv.gz",
            gzip.compress(b"question,answer\n" * 99, mtime=0)[:30],
            "not a whole gzip file",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = run_kb("build", path, "--out", tmp_path / "x.idx")
    assert result.exit_code == 1
    assert reason in result.stderr
    assert not (tmp_path / "x.idx").exists()


def test_missing_files_are_named(tmp_path: Path, faq: Path) -> None:
    for result in (
        run_kb("build", tmp_path / "none.md", "--out", tmp_path / "x.idx"),
        run_kb("ask", "--index", tmp_path / "none.idx", "hello"),
    ):
        assert result.exit_code == 1
        assert "none." in result.stderr
        assert "No such file" in result.stderr
    result = run_kb("build", faq, "--out", faq / "x.idx")
    assert result.exit_code == 1
    assert "choose another --out" in result.stderr


def test_asking_shows_the_answer_and_why(index: Path) -> None:
    result = run_kb("ask", "--index", index, "when will it arrive?")
    assert result.exit_code == 0
    assert "Three days." in result.stdout
    assert "shipping" in result.stdout
    assert "shares a word" in run_kb("ask", "--index", index, "?!").stdout


def test_asking_prints_one_json_object(index: Path) -> None:
    found = json.loads(run_kb("ask", "--index", index, "--json", "Can I return it?").stdout)
    assert found["hits"][0]["entry_id"] == "return"
    assert found["hits"][0]["confidence"] >= 0.9
    assert "exact" in found["hits"][0]["reasons"]
    assert json.loads(run_kb("ask", "--index", index, "--json", "?!").stdout)["hits"] == []


def test_asking_what_is_no_index_is_refused(faq: Path) -> None:
    result = run_kb("ask", "--index", faq, "hello")
    assert result.exit_code == 1
    assert f"{faq}: not an index" in result.stderr
