"""`fanlight kb report`: a page that stands alone, says what it measured, and runs nothing."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.kb import kb_group
from gateway.cli.report.html import of_hundred, own, percent, plain, quote
from gateway.cli.report.page import page
from kb import build_index, load_index
from kb.entry import Entry
from kb.evaluate import Labelled
from kb.overview import Overview, look_over

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)> \u202eevil\x00'
ENTRIES = (
    Entry("a", "en", f"Where is it? {HOSTILE}\ud800", f"Here. {HOSTILE}", ("find it", "its place")),
    Entry(f"b-{HOSTILE}", "en", f"When is it? {HOSTILE}", "Now.", ("its time", "which day")),
    Entry("b", "he", "מתי זה?", "עכשיו, היום.", ("באיזה יום",)),
    Entry("c", "en", "Where is the other one?", "See http://a.example/x.", ("the other place",)),
)
FAQ = """locale: en

## How long does shipping take? {#shipping}
- also: how long is the shipping

Three days, and four abroad.

## Can I return a broken lamp? {#return}
- also: return a broken lamp

Yes, within *30 days*.
"""
VOID = {"meta", "br", "img", "input", "link", "hr"}
ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer"),
    *("nav", "ul", "li", "a", "h1", "h2", "p", "b", "bdi", "q", "mark", "span", "div", "figure"),
    *("figcaption", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("svg", "desc", "path", "rect", "circle", "polyline", "text"),
}


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, and whether they are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def each(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.found if tag == name)


@pytest.fixture(scope="module")
def simulated() -> Overview:
    return look_over(load_index(build_index(ENTRIES)), threshold=0.55)


@pytest.fixture(scope="module")
def real() -> Overview:
    queries = [Labelled(f"{HOSTILE} where is it {n}", "a") for n in range(3)]
    queries += [Labelled(f"where is the other one {n}", "a") for n in range(3)]
    queries += [Labelled(f"find it {HOSTILE}", "", answerable=False), Labelled("x", "no entry")]
    return look_over(load_index(build_index(ENTRIES)), threshold=0.01, queries=queries, marks=2)


@pytest.fixture(params=["simulated", "real"])
def written(request: pytest.FixtureRequest) -> str:
    return page(request.getfixturevalue(request.param), HOSTILE)


def run(*args: object) -> Result:
    return CliRunner().invoke(kb_group, ["report", *(str(arg) for arg in args)])


def test_nothing_of_a_knowledge_base_is_markup(written: str) -> None:
    found = Page(written)
    assert found.open == []
    assert {tag for tag, _ in found.found} <= ALLOWED
    attributes = {name for _, own in found.found for name in own}
    assert not [name for name in attributes if name.startswith("on") or name in {"style", "src"}]
    assert "\x00" not in written
    assert "\u202e" not in written
    written.encode()


def test_a_page_loads_nothing_and_may_do_nothing(written: str) -> None:
    found = Page(written)
    policy = next(m["content"] for m in found.each("meta") if "http-equiv" in m) or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert [link["href"] for link in found.each("a") if not str(link["href"]).startswith("#")] == []
    style = written.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import", style)


def test_links_within_a_page_lead_somewhere(written: str) -> None:
    found = Page(written)
    names = [own["id"] for _, own in found.found if "id" in own]
    assert len(names) == len(set(names))
    assert {str(link["href"])[1:] for link in found.each("a")} <= set(names)
    labelled = [str(own["aria-labelledby"]) for _, own in found.found if "aria-labelledby" in own]
    assert {name for every in labelled for name in every.split()} <= set(names)


def test_every_drawing_has_its_words_and_a_table_beside_it(written: str) -> None:
    drawings = [own for own in Page(written).each("svg") if own.get("role") == "img"]
    assert len(drawings) == 3
    assert written.count("<title id=") == written.count("<desc id=") == 3
    for caption in ("What each threshold means", "First answers by their confidence"):
        assert caption in written


def test_what_is_simulated_is_said_plainly(simulated: Overview, real: Overview) -> None:
    assert "These are not your visitors." in page(simulated, "x")
    text = page(real, "x")
    assert "These are not your visitors." not in text
    assert "6 questions of your own were asked" in text
    assert "2 more, drawn at random, were taken as marked by you" in text
    assert "It holds questions of your visitors" in text


def test_the_parts_that_an_owner_needs_are_there(real: Overview) -> None:
    text = page(real, "x")
    for title in (
        "In short", "Where to draw the line", "Can the confidence be believed?",
        "What is mixed up", "The entries that fail most", "Answered though there is no answer",
        "Languages", "What to mend", "How it was measured",
    ):  # fmt: skip
        assert f">{title}</h2>" in text
    assert "<mark>0.01, yours</mark>" in text
    assert "insecure link" in text
    assert re.search(r"Of 100 questions, <b>\d+</b> gets? the right answer at once", text)


def test_the_same_overview_gives_the_same_page(simulated: Overview) -> None:
    assert page(simulated, "x") == page(simulated, "x")


def test_hebrew_stands_in_its_own_direction(simulated: Overview) -> None:
    assert own("מה?") == '<bdi dir="auto">מה?</bdi>'
    assert '<q dir="auto">' in page(simulated, "x")


@pytest.mark.parametrize(
    ("shares", "whole"),
    [
        ([0.335, 0.335, 0.33], [34, 33, 33]),
        ([1, 0], [100, 0]),
        ([0.996, 0.004], [100, 0]),
        ([0.2] * 5, [20] * 5),
    ],
)
def test_parts_of_a_hundred_sum_to_a_hundred(shares: list[float], whole: list[int]) -> None:
    assert of_hundred(shares) == whole


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (0.001, "under 1%"), (0.5, "50%"), (0.999, "over 99%"), (1, "100%")],
)
def test_little_is_not_nothing(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_long_words_of_visitors_are_cut_on_one_line() -> None:
    assert quote("a\n b") == '<q dir="auto">a b</q>'
    assert len(quote("x" * 999)) < 160
    assert plain("<&'\">") == "&lt;&amp;&#x27;&quot;&gt;"


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.md"
    path.write_text(FAQ, encoding="utf-8")
    return path


def test_a_page_is_written_and_its_figures_printed(faq: Path) -> None:
    out = faq.with_name("report.html")
    result = run(faq, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert list(printed) == [
        "out", "release", "entries", "threshold", "asking", "shares", "ece", "thresholds",
        "reliability", "confusions", "worst_entries", "strangers", "problems", "hints", "notes",
    ]  # fmt: skip
    assert printed["asking"]["own"] is False
    assert sum(printed["shares"].values()) == pytest.approx(1, abs=0.001)
    text = out.read_text(encoding="utf-8")
    assert "<title>faq: how well it answers</title>" in text
    assert "reporting" in result.stderr


def test_own_questions_are_reported(faq: Path) -> None:
    queries = faq.with_name("q.jsonl")
    rows = [{"text": "the shipping, how long", "label": "shipping"}] * 3
    queries.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = faq.with_name("report.html")
    result = run(faq, "--out", out, "--queries", queries, "--marked", 1, "--title", "My shop")
    assert result.exit_code == 0, result.output
    assert "answered" in result.stdout
    assert "My shop: how well it answers" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("rows", "options", "code", "reason"),
    [
        ('{"text": "a", "label": "zzz"}', (), 1, "no question names an entry"),
        ("", (), 1, "there is no question in it"),
        ('{"text": "a"}', (), 1, "q.jsonl:1: the field 'label'"),
        ('{"text": "a", "label": "return"}', ("--marked", 1), 1, "there are only 1 questions"),
    ],
)
def test_questions_that_will_not_do_are_refused(
    faq: Path, rows: str, options: tuple[object, ...], code: int, reason: str
) -> None:
    queries, out = faq.with_name("q.jsonl"), faq.with_name("report.html")
    queries.write_text(rows, encoding="utf-8")
    result = run(faq, "--out", out, "--queries", queries, *options)
    assert result.exit_code == code
    assert reason in " ".join(result.stderr.split())
    assert not out.exists()


def test_what_cannot_be_is_said(faq: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert "--marked goes with --queries" in run(faq, "--out", out, "--marked", 3).stderr
    assert "choose another --out" in run(faq, "--out", faq / "x.html").stderr
    empty = tmp_path / "empty.md"
    empty.write_text("", encoding="utf-8")
    assert "no entry could be read" in run(empty, "--out", out).stderr
