"""Web pages to entries: markup for search engines, visible blocks, three languages."""

import json

import pytest

from kb.entry import Problem
from kb.readers.row import Row
from kb.readers.web_page import page_of, read_web_page

ADDRESS = "https://shop.example/help/faq"


def read(html: str, source: str = ADDRESS, locale: str | None = None) -> list[Row | Problem]:
    return list(read_web_page(iter(html.splitlines(keepends=True)), source, locale))


def rows(html: str, source: str = ADDRESS, locale: str | None = "en") -> list[Row]:
    found = read(html, source, locale)
    assert [str(one) for one in found if isinstance(one, Problem)] == []
    return [one for one in found if isinstance(one, Row)]


def pairs(html: str) -> list[tuple[str, str]]:
    return [(row.question, row.answer) for row in rows(html)]


def problem(html: str, source: str = ADDRESS, locale: str | None = "en") -> Problem:
    (found,) = read(html, source, locale)
    assert isinstance(found, Problem)
    return found


def linked(*data: object) -> str:
    texts = (json.dumps(one).replace("</", "<\\/") for one in data)
    scripts = "".join(f'<script type="application/ld+json">{text}</script>\n' for text in texts)
    return f'<html lang="en"><head>{scripts}</head><body><h2>Shown?</h2><p>Not read.</p></body>'


def question(name: object, text: object, **more: object) -> dict[str, object]:
    return {
        "@type": "Question",
        "name": name,
        "acceptedAnswer": {"@type": "Answer", "text": text},
        **more,
    }


SPANISH = """<!doctype html>
<html lang="es">
<head><title>Ayuda</title><style>p { color: red }</style></head>
<body>
<header><h1>¿Necesitas ayuda?</h1></header>
<nav><ul><li><a href="/">¿Quiénes somos?</a></li></ul></nav>
<main>
  <h1>¿En qué podemos ayudarte?</h1>
  <p>Busca aquí.</p>
  <section>
    <h2>Envíos</h2>
    <h3 id="cuanto-tarda">¿Cuánto tarda el envío?</h3>
    <p>Entre <strong>2 y 5 días</strong>. Consulta <a href="/envios">las tarifas</a>.</p>
    <h4>Fuera de España</h4>
    <p>Una semana.</p>
    <div class="q"><h3>Cómo cambio la dirección</h3></div>
    <div class="a"><p>En tu cuenta.</p></div>
    <h3>Otros temas</h3>
    <p>Nada.</p>
  </section>
</main>
<footer><h2>¿Dudas?</h2><p>Llama.</p></footer>
</body></html>"""

HEBREW = """<html lang="he" dir="rtl"><body>
<div class="accordion">
  <h3><button aria-expanded="false" aria-controls="p1" id="b1">כמה זמן לוקח המשלוח?
    <span aria-hidden="true">▾</span></button></h3>
  <div id="p1" role="region" aria-labelledby="b1" hidden>
    <p>בדרך כלל <b>שלושה ימים</b>.</p><p style="display:none">טקסט נסתר</p>
  </div>
  <h3><button aria-controls="p2" id="b2">החזרות</button></h3>
  <div id="p2" hidden>אפשר להחזיר תוך 30 יום.</div>
</div></body></html>"""


def test_spanish_headings_that_ask_are_read() -> None:
    found = rows(SPANISH, locale=None)
    assert [(row.question, row.answer) for row in found] == [
        (
            "¿Cuánto tarda el envío?",
            (
                "Entre **2 y 5 días**. Consulta [las tarifas](https://shop.example/envios).\n\n"
                "**Fuera de España**\n\nUna semana."
            ),
        ),
        ("Cómo cambio la dirección", "En tu cuenta."),
    ]
    assert {row.locale for row in found} == {"es"}
    assert found[0].origin == f"{ADDRESS}#cuanto-tarda"
    assert (found[0].id, found[0].line) == ("cuanto-tarda", 12)
    assert (found[1].id, found[1].origin) == ("", ADDRESS)


def test_hebrew_accordions_are_read_though_their_panels_are_hidden() -> None:
    found = rows(HEBREW, locale=None)
    assert [(row.locale, row.question, row.answer) for row in found] == [
        ("he", "כמה זמן לוקח המשלוח?", "בדרך כלל **שלושה ימים**."),
        ("he", "החזרות", "אפשר להחזיר תוך 30 יום."),
    ]


def test_details_are_read_and_sections_of_them_are_not_entries() -> None:
    html = """<details id=ship><summary><h3>1. Do you ship abroad? +</h3></summary><p>Yes.</details>
    <details><summary>Payment</summary>
      <details><summary>Can I pay by card?</summary>Yes, <em>by any</em>.</details>
      <details><summary>Empty?</summary></details>
    </details><details>no summary</details>"""
    assert pairs(html) == [
        ("Do you ship abroad?", "Yes."),
        ("Can I pay by card?", "Yes, *by any*."),
    ]


def test_lists_of_terms_are_read_where_they_ask() -> None:
    html = """<dl><div><dt>How much is it?<dt>What does it cost?<dd>Ten.<dd>Or more.</div>
    <dt>Returns<dd>30 days.<dt>unanswered?</dl>
    <dl><dt>Phone<dd>123<dt>Fax<dd>None<dt>Why?<dd>Because</dl>"""
    assert pairs(html) == [("How much is it?", "Ten.\n\nOr more."), ("Returns", "30 days.")]
    assert rows(html)[0].variants == ("What does it cost?",)


@pytest.mark.parametrize(
    "html",
    [
        "<button aria-controls=m>Menu</button><ul id=m><li>Home</ul>",
        "<button role=tab aria-controls=t>What?</button><div id=t>Tab</div>",
        "<button aria-haspopup=true aria-controls=t>Which?</button><div id=t>Pop</div>",
        "<div id=t><button aria-controls=t>Why?</button> Close</div>",
        "<button aria-controls=none>Why?</button>",
    ],
)
def test_a_control_that_opens_something_else_is_no_question(html: str) -> None:
    assert "no question was found" in problem(html).reason


def test_a_heading_without_an_answer_of_its_own_is_none() -> None:
    html = "<h2>Why?</h2><h2>How?</h2><p>So.</p><div><b>x</b><h2>When?</h2></div><p>y"
    assert pairs(html) == [("How?", "So.")]


def test_lines_that_ask_are_read_where_nothing_else_is_marked() -> None:
    html = """<h3>Ready to ship?</h3><a href=/book>Book</a>
    <div class="title">What do you offer? <i></i></div><div class="content" id="a1">Cargo.</div>
    <div><p><strong>Do you pack?</strong></p></div><p>Yes.</p><p>Always.</p>
    <div class="item"><button>Why?</button><div>So.</div></div><h2>Contact</h2><p>Us.</p>"""
    assert pairs(html) == [
        ("What do you offer?", "Cargo."),
        ("Do you pack?", "Yes.\n\nAlways."),
        ("Why?", "So."),
    ]


def test_a_heading_over_lines_that_ask_is_their_title() -> None:
    html = """<h2>Where is it?</h2><p>Here.</p><h2>Have questions?</h2><p>We have answers.</p>
    <div><div>What is it?</div><p>It.</p><p>Whose?</p><p>Ours.</p></div>"""
    assert pairs(html) == [("Where is it?", "Here."), ("What is it?", "It."), ("Whose?", "Ours.")]


def test_one_line_that_asks_is_prose() -> None:
    assert "no question" in problem("<p>Who are we?</p><p>A shop.</p>").reason


def test_roles_make_headings_too() -> None:
    html = "<div role=heading aria-level=3>Why?</div><p>So.<div role=heading>What?</div><p>It."
    assert pairs(html) == [("Why?", "So."), ("What?", "It.")]


def test_a_first_level_heading_asks_where_it_has_no_questions_below() -> None:
    assert pairs("<h1>How do I reset it?</h1><h2>Steps</h2><p>Press.</p>") == [
        ("How do I reset it?", "**Steps**\n\nPress.")
    ]
    assert pairs("<h1>How?</h1><p>So.<h1>Why?</h1><p>It.") == [("How?", "So."), ("Why?", "It.")]


def test_a_question_that_a_page_repeats_is_one() -> None:
    assert pairs("<h2>Why?</h2><p>So.<h2>why?</h2><p>Other.") == [("Why?", "So.")]


@pytest.mark.parametrize(
    "data",
    [
        {"@type": "FAQPage", "mainEntity": [question("Why?", "<p>So <b>x</b></p>")]},
        {"@type": "FAQPage", "mainEntity": question("Why?", "So <b>x</b>")},
        {"@type": ["WebPage", "FAQPage"], "mainEntity": [question("Why?", ["So <b>x</b>"])]},
        {"@graph": [{"@type": "FAQPage", "mainEntity": [{"@id": "#q"}]},
                    question("Why?", "So <b>x</b>", **{"@id": "#q"})]},
        [{"@type": "Organization"}, {"@type": "FAQPage", "mainEntity": [
            {"@type": "Question", "name": "Why?", "suggestedAnswer": [{"text": "So <b>x</b>"}]}]}],
        {"@type": "https://schema.org/FAQPage", "mainEntity": [
            {"@type": "https://schema.org/Question", "text": "Why?",
             "acceptedAnswer": "So <b>x</b><script>y</script>"}]},
    ],
    ids=["list", "one", "types", "graph", "suggested", "full names"],
)  # fmt: skip
def test_linked_data_is_read_before_what_is_shown(data: object) -> None:
    assert pairs(linked(data)) == [("Why?", "So **x**")]


def test_linked_data_keeps_the_lines_of_plain_text_and_the_anchors_of_the_page() -> None:
    text = question("Is A &amp; B <i>safe</i>?", "Yes.\nOr < no.", url=f"{ADDRESS}#is-safe")
    (row,) = rows(linked(text))
    assert (row.question, row.answer) == ("Is A & B safe?", "Yes.\n\nOr &lt; no.")
    assert (row.id, row.origin) == ("is-safe", f"{ADDRESS}#is-safe")
    (other,) = rows(linked(question("Why?", "So.", url="https://other.example/#x")))
    assert other.origin == ADDRESS


def test_the_questions_of_visitors_are_not_the_owners() -> None:
    data = {"@type": "QAPage", "mainEntity": question("Why?", "Says a visitor.")}
    assert pairs(linked(data)) == [("Shown?", "Not read.")]
    item = "<div itemscope itemtype=http://schema.org/"
    html = f"{item}QAPage>{item}Question><b itemprop=name>A?</b><i itemprop=acceptedAnswer>B</i>"
    assert "no question" in problem(html).reason


@pytest.mark.parametrize("script", ["{", "[" * 100_000, '{"a": NaN', "\x00"])
def test_linked_data_that_is_not_json_is_a_problem_and_the_page_is_still_read(script: str) -> None:
    html = f'<h2>Shown?</h2><p>Yes.</p>\n<script type="application/ld+json">{script}</script>'
    row, bad = read(html, locale="en")
    assert isinstance(row, Row)
    assert isinstance(bad, Problem)
    assert (bad.source, bad.line) == (ADDRESS, 2)
    assert "mend the script" in bad.reason


def test_linked_data_may_stand_in_a_comment_and_hold_odd_values() -> None:
    data = json.dumps([None, 7, "x", {"@type": 3}, question(7, 8), question("Why?", "\ud800 So.")])
    (row,) = [
        one
        for one in read(f'<script type="application/ld+json"><!-- {data} --></script>', locale="en")
        if isinstance(one, Row) and one.question
    ]
    assert row.answer == "\ufffd So."


def test_microdata_is_read_before_what_is_shown() -> None:
    html = """<html lang=en><div itemscope itemtype="https://schema.org/FAQPage">
    <div id="q1" itemprop="mainEntity" itemscope itemtype="https://schema.org/Question">
      <h3 itemprop="name">Do you <i>repair</i>?</h3>
      <div itemprop="acceptedAnswer" itemscope itemtype="https://schema.org/Answer">
        Answer: <div itemprop="text"><p>Yes.</p></div></div></div>
    <div itemscope itemtype="https://schema.org/Question">
      <b itemprop="name">Where?</b><p itemprop="suggestedAnswer">Here.</p></div>
    <div itemscope itemtype="https://schema.org/Question"><b itemprop="name">No answer?</b></div>
    <h3>Shown?</h3><p>Not read.</p></div>"""
    assert pairs(html) == [("Do you repair?", "Yes."), ("Where?", "Here.")]
    assert rows(html)[0].origin == f"{ADDRESS}#q1"


@pytest.mark.parametrize(
    ("anchor", "wanted"),
    [
        ("return-item", "return-item"),
        ("item", ""),
        ("a-b", ""),
        ("collapse-1", ""),
        ("elementor-tab-title-17", ""),
    ],
)
def test_only_an_anchor_of_the_questions_words_names_the_entry(anchor: str, wanted: str) -> None:
    (row,) = rows(f"<h2 id={anchor}>How do I return an item?</h2><p>So.")
    assert row.id == wanted
    assert row.origin == f"{ADDRESS}#{anchor}"


@pytest.mark.parametrize(
    ("tag", "given", "locale"),
    [
        ("<html lang=EN_us>", None, "en-US"),
        ("<html lang='x!'>", "he", "he"),
        ("<html xml:lang=zh-Hant>", None, "zh-Hant"),
        ("", "es", "es"),
    ],
)
def test_the_language_is_the_pages_else_the_callers(
    tag: str, given: str | None, locale: str
) -> None:
    assert rows(f"{tag}<h2>Why?</h2><p>So.", locale=given)[0].locale == locale


def test_a_page_without_a_language_is_a_problem() -> None:
    assert "give its locale" in problem("<h2>Why?</h2><p>So.", locale=None).reason


def test_a_page_without_a_question_is_a_problem_with_a_remedy() -> None:
    found = problem("<p>Welcome.</p>")
    assert (found.source, found.line) == (ADDRESS, 0)
    assert "question mark" in found.reason


def test_a_page_that_is_too_large_is_a_problem() -> None:
    assert "smaller page" in problem("<br>" * 200_001).reason


def test_an_answer_in_linked_data_that_is_too_large_is_a_problem() -> None:
    row, bad = read(linked(question("Why?", "<br>" * 200_001)), locale="en")
    assert isinstance(row, Row)
    assert "smaller page" in str(bad)


def test_a_file_keeps_only_whole_links_unless_it_names_its_address() -> None:
    html = "<h2>Why?</h2><p>See <a href=/a>a</a>"
    (row,) = rows(html, "faq.html")
    assert (row.answer, row.origin) == ("See a", "")
    (row,) = rows(f"<base href=https://shop.example/x/>{html}", "faq.html")
    assert row.answer == "See [a](https://shop.example/a)"
    (row,) = rows(f"<base href=javascript:x>{html}")
    assert row.answer == "See [a](https://shop.example/a)"
    (row,) = rows(f"<base href='https://[x'>{html}")
    assert row.answer == "See [a](https://shop.example/a)"


@pytest.mark.parametrize(
    ("origin", "page"),
    [
        ("https://a.example/x#y", "https://a.example/x"),
        ("https://a.example", "https://a.example/"),
        ("http://a.example:80/x:1", "http://a.example:80/x:1"),
        ("faq/a.md:12", "faq/a.md"),
        ("faq.csv#7", "faq.csv"),
    ],
)
def test_the_page_of_an_origin(origin: str, page: str) -> None:
    assert page_of(origin) == page
