import io
import json
from collections.abc import Callable

import pytest

import kb
from kb.entry import system_text
from kb.readers.links import is_safe_url


def markdown(text: str, locale: str | None = None) -> kb.Reading:
    return kb.read_entries(io.StringIO(text), format="markdown", source="faq.md", locale=locale)


def csv(text: str, locale: str | None = None) -> kb.Reading:
    return kb.read_entries(
        io.StringIO(text, newline=""), format="csv", source="faq.csv", locale=locale
    )


def jsonl(*rows: object, locale: str | None = None) -> kb.Reading:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return kb.read_entries(io.StringIO(text), format="jsonl", source="faq.jsonl", locale=locale)


FULL = kb.Entry(
    id="password",
    locale="en",
    question="How do I change my password?",
    answer="Open **Account**.\n\n- then click",
    variants=("I forgot my password", "reset it"),
    links=(kb.Link("Account", "https://example.com/account"),),
    tags=("account", "login"),
    escalate=True,
)

FULL_MARKDOWN = """\
---
locale: en
---
# The shop's questions

## How do I change my password? {#password}
- also: I forgot my password
- also: reset it
- tags: account, login
- link: [Account](https://example.com/account)
- escalate: always

Open **Account**.

- then click
"""

FULL_CSV = (
    "\ufeffid,locale,question,answer,variants,links,tags,escalate\r\n"
    'password,en,How do I change my password?,"Open **Account**.\n\n- then click",'
    'I forgot my password| reset it,[Account](https://example.com/account),"account, login",always'
    "\r\n"
)

FULL_ROW = {
    "id": "password",
    "locale": "en",
    "question": "How do I change my password?",
    "answer": "Open **Account**.\n\n- then click",
    "variants": ["I forgot my password", "reset it"],
    "links": [{"title": "Account", "url": "https://example.com/account"}],
    "tags": ["account", "login"],
    "escalate": True,
}


@pytest.mark.parametrize(
    "read",
    [lambda: markdown(FULL_MARKDOWN), lambda: csv(FULL_CSV), lambda: jsonl(FULL_ROW)],
    ids=["markdown", "csv", "jsonl"],
)
def test_every_field_is_read(read: Callable[[], kb.Reading]) -> None:
    assert read() == kb.Reading((FULL,), ())


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="markdown, csv, jsonl"):
        kb.read_entries(io.StringIO(""), format="xml", source="x")  # type: ignore[arg-type]


def test_rows_without_a_locale_take_the_callers() -> None:
    for reading in (
        markdown("## Q\n\nA", "he"),
        csv("question,answer\nQ,A\n", "he"),
        jsonl({"question": "Q", "answer": "A"}, locale="he"),
    ):
        assert [entry.locale for entry in reading.entries] == ["he"]


def test_a_missing_id_is_made_of_the_question() -> None:
    reading = markdown("## What's the price, per YEAR?\n\nA", "en")
    assert reading.entries[0].id == "what-the-price-per-year"


MARKDOWN_PROBLEMS = [
    ("## \n\nA", 1, "question is empty"),
    ("## Q\n", 1, "answer is empty"),
    ("## Q {#a b}\n\nA", 1, "id 'a b'"),
    ("## ??? \n\nA", 1, "no letter or number"),
    ("## Q\n- alos: typo\n\nA", 2, "unknown field 'alos'"),
    ("## Q\n- alos: typo\n- slao: typo\n\nA", 2, "unknown field 'alos'"),
    ("## Q\n- link: [x](javascript:alert)\n\nA", 1, "http, https or mailto"),
    ("## Q\n- link: https://example.com\n\nA", 1, "[Title](https://…)"),
    ("## Q\n- escalate: sometimes\n\nA", 1, "write always"),
    ("stray text\n", 1, "before the first"),
    ("title: x\n", 1, "before the first"),
]


@pytest.mark.parametrize(("text", "line", "reason"), MARKDOWN_PROBLEMS)
def test_a_bad_markdown_entry_is_one_problem_and_the_rest_reads(
    text: str, line: int, reason: str
) -> None:
    reading = markdown(f"{text}\n\n## Good {{#good}}\n\nYes.\n", "en")
    assert [entry.id for entry in reading.entries] == ["good"]
    assert [(p.source, p.line) for p in reading.problems] == [("faq.md", line)]
    assert reason in reading.problems[0].reason
    assert str(reading.problems[0]).startswith(f"faq.md:{line}: ")


def test_an_answer_may_begin_with_bullets_and_hold_headings_in_code() -> None:
    text = "## Q {#q}\n\n- one: 1\n- two\n\n```\n## not a question\n```\n~~~\n```\n~~~\n### Sub\n"
    (entry,) = markdown(text, "en").entries
    assert entry.answer == text.partition("\n\n")[2].strip()


def test_fields_may_stand_after_a_blank_line() -> None:
    (entry,) = markdown("## Q {#q}\n\n- also: other\n\nA\n- also: kept\n", "en").entries
    assert entry.variants == ("other",)
    assert entry.answer == "A\n- also: kept"


def test_two_entries_with_one_id_and_locale_are_a_problem() -> None:
    reading = markdown("## Q {#q}\n\nA\n\n## Q2 {#q}\n\nB", "en")
    assert [entry.question for entry in reading.entries] == ["Q"]
    assert [problem.line for problem in reading.problems] == [5]
    assert "there twice" in reading.problems[0].reason


CSV_PROBLEMS = [
    ("question,answer\nQ\nGood,Yes\n", 2, "1 cells, but the header has 2"),
    ("question,answer\n,A\nGood,Yes\n", 2, "question is empty"),
    ('question,answer\n"Q"x,A\nGood,Yes\n', 2, "not CSV"),
    ("question,answer,locale\nQ,A,English!\nGood,Yes,en\n", 2, "not a language tag"),
    ("question,answer,links\nQ,A,nowhere\nGood,Yes,\n", 2, "must be written"),
    ('question,answer\n\n"Good","Yes\nyes"\n,A\n', 5, "question is empty"),
]


@pytest.mark.parametrize(("text", "line", "reason"), CSV_PROBLEMS)
def test_a_bad_csv_row_is_one_problem_and_the_rest_reads(text: str, line: int, reason: str) -> None:
    reading = csv(text, "en")
    assert [entry.question for entry in reading.entries] == ["Good"]
    assert [problem.line for problem in reading.problems] == [line]
    assert reason in reading.problems[0].reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("question,answer,colour", "unknown field 'colour'"),
        ("question,question,answer", "named twice"),
        ("id,question", "lacks answer"),
    ],
)
def test_a_bad_csv_header_is_the_only_problem(header: str, reason: str) -> None:
    reading = csv(f"{header}\nQ,A,x\n", "en")
    assert not reading.entries
    assert [problem.line for problem in reading.problems] == [1]
    assert reason in reading.problems[0].reason


def test_a_cell_may_hold_several_links() -> None:
    cell = "[A](https://a.example), [B](mailto:b@b.example)"
    (entry,) = csv(f'question,answer,links\nQ,A,"{cell}"\n', "en").entries
    assert [link.url for link in entry.links] == ["https://a.example", "mailto:b@b.example"]


JSON_PROBLEMS = [
    ("{", "not JSON"),
    ("[" * 100_000, "nested too deep"),
    ([1], "one JSON object"),
    ({"question": "Q", "answer": "A", "colour": "red"}, "unknown field 'colour'"),
    ({"question": 7, "answer": "A"}, "question must be text"),
    ({"question": "Q", "answer": "A", "tags": "a"}, "tags must be a list"),
    ({"question": "Q", "answer": "A", "variants": [1]}, "variants must be a list of texts"),
    ({"question": "Q", "answer": "A", "links": [{"url": "https://a.example"}]}, "a link must be"),
    ({"question": "Q", "answer": "A", "escalate": 3}, "escalate must be text"),
    ({"question": "Q"}, "answer is empty"),
]


@pytest.mark.parametrize(("row", "reason"), JSON_PROBLEMS)
def test_a_bad_json_row_is_one_problem_and_the_rest_reads(row: object, reason: str) -> None:
    good = {"question": "Good", "answer": "Yes", "links": ["[A](https://a.example)"]}
    reading = jsonl("", row, good, locale="en")
    assert [entry.question for entry in reading.entries] == ["Good"]
    assert [(p.source, p.line) for p in reading.problems] == [("faq.jsonl", 2)]
    assert reason in reading.problems[0].reason


def test_a_row_without_any_locale_is_a_problem() -> None:
    assert "no locale" in jsonl({"question": "Q", "answer": "A"}).problems[0].reason


def test_escalate_may_be_false_or_a_word() -> None:
    rows = [{"id": f"i{n}", "question": "Q", "answer": "A", "escalate": value}
            for n, value in enumerate((False, "always", "no"))]  # fmt: skip
    assert [entry.escalate for entry in jsonl(*rows, locale="en").entries] == [False, True, False]


def test_merging_keeps_the_first_of_two_sources_with_one_entry() -> None:
    first, second = markdown("## Q {#q}\n\nA", "en"), markdown("## Q2 {#q}\n\nB\n\n## \n", "en")
    merged = kb.merge_readings([("a.md", first), ("b.md", second)])
    assert [entry.question for entry in merged.entries] == ["Q"]
    assert [problem.source for problem in merged.problems] == ["faq.md", "b.md"]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com/a?b=c", True),
        ("HTTP://example.com", True),
        ("mailto:a@example.com", True),
        ("mailto:", False),
        ("https:///path", False),
        ("https://exa mple.com", False),
        ("https://[::1", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.com", False),
        ("/relative", False),
        ("https://example.com/\x00", False),
        ("java\nscript:alert(1)", False),
    ],
)
def test_only_whole_safe_addresses_are_links(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe


def test_a_site_text_is_known_by_its_tag() -> None:
    entry = kb.Entry("x", "en", "q", "a", tags=("other", "system:offline"))
    assert system_text(entry) == "offline"
    assert system_text(FULL) is None
