"""Sitemaps, help-centre exports, Markdown of others, and the bytes of pages."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.entry import Problem
from kb.readers.charset import CharsetError, decode_page
from kb.readers.faq_markdown import read_faq_markdown
from kb.readers.help_centre import read_export
from kb.readers.row import Row
from kb.readers.safe_markdown import safe_markdown
from kb.readers.sitemap import Sitemap, SitemapError, read_sitemap

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
BILLION_LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<urlset><url><loc>&lol2;</loc></url></urlset>"""
EXTERNAL = '<!DOCTYPE x SYSTEM "file:///etc/passwd"><urlset/>'


def sitemap(text: str, limit: int = 10) -> Sitemap:
    return read_sitemap(io.StringIO(text), limit=limit)


def test_a_sitemap_lists_pages() -> None:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
    <urlset {NAMESPACE} xmlns:image="urn:image">
      <url><loc> https://a.example/?x=1&amp;y=2 </loc><lastmod>2026-01-01</lastmod>
        <image:image><image:loc>https://a.example/i.png</image:loc></image:image></url>
      <url><loc>https://a.example/b</loc></url><url><loc>https://a.example/b</loc></url>
      <url><loc><![CDATA[https://a.example/c]]></loc></url>
      <url><loc></loc></url><url><loc>https://a.example/{"x" * 3_000}</loc></url>
    </urlset>"""
    assert sitemap(text) == Sitemap(
        ("https://a.example/?x=1&y=2", "https://a.example/b", "https://a.example/c"), (), 0
    )


def test_an_index_lists_sitemaps() -> None:
    text = f"<sitemapindex {NAMESPACE}><sitemap><loc>https://a.example/1.xml</loc></sitemap>"
    assert sitemap(f"{text}</sitemapindex>") == Sitemap((), ("https://a.example/1.xml",), 0)


def test_addresses_beyond_the_limit_are_counted() -> None:
    urls = "".join(f"<url><loc>https://a.example/{n}</loc></url>" for n in range(5))
    found = sitemap(f"<urlset>{urls}</urlset>", limit=2)
    assert (len(found.pages), found.left_out) == (2, 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BILLION_LAUGHS, "DOCTYPE"),
        (EXTERNAL, "DOCTYPE"),
        ("<urlset><url>", "mend the XML"),
        ("", "not a sitemap"),
        ("<html/>", "'html', not urlset"),
        ("<urlset>&entity;</urlset>", "not a sitemap"),
        ("<urlset>\ud800</urlset", "not a sitemap"),
    ],
)
def test_what_is_no_sitemap_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SitemapError, match=reason):
        sitemap(text)


def test_a_sitemap_of_deeply_nested_elements_lists_nothing() -> None:
    assert sitemap("<urlset>" + "<a>" * 100_000 + "</a>" * 100_000 + "</urlset>").pages == ()


def export(text: str, locale: str | None = "en") -> list[Row | Problem]:
    return list(read_export(io.StringIO(text, newline=""), "export.csv", locale))


ZENDESK = (
    "id,title,body,locale,label_names,section,html_url,draft\r\n"
    '17,Do you ship?,"<p>Yes, <a href=""/hc/abroad"">abroad</a> too.</p>",en-us,"ship,abroad",'
    "Orders,https://help.example/hc/17,false\r\n"
    "18,Hidden?,<p>Not yet</p>,en-us,,Orders,https://help.example/hc/18,true\r\n"
)


def test_a_zendesk_export_is_read_and_its_drafts_are_left_out() -> None:
    row, draft = export(ZENDESK)
    assert row == Row(
        "export.csv",
        2,
        id="17",
        locale="en-US",
        question="Do you ship?",
        answer="Yes, [abroad](https://help.example/hc/abroad) too.",
        tags=("ship", "abroad", "Orders"),
        origin="https://help.example/hc/17",
    )
    assert isinstance(draft, Problem)
    assert (draft.line, draft.reason.partition(":")[0]) == (3, "not published")


@pytest.mark.parametrize(
    ("header", "cells", "wanted"),
    [
        ("Title,Description,Tags,Folder,Status", "Q?,<p>A</p>,t|u,F,published", ("en", "Q?", "A")),
        ("Article title;Article body;Language", "Q?;<b>A</b>;Spanish", ("es", "Q?", "**A**")),
        ("Subject\tContent\tLanguage", "Q?\tA\tעברית", ("he", "Q?", "A")),
        ("Name,Answer,Published,Views", "<b>Q</b>?,A <x-y>,yes,7", ("en", "Q?", "A &lt;x-y>")),
    ],
    ids=["freshdesk", "hubspot", "intercom", "plain"],
)  # fmt: skip
def test_the_columns_of_other_help_centres_are_understood(
    header: str, cells: str, wanted: tuple[str, str, str]
) -> None:
    (row,) = export(f"{header}\n\n{cells}\n")
    assert isinstance(row, Row)
    assert (row.locale, row.question, row.answer) == wanted


@pytest.mark.parametrize(
    ("header", "cells"),
    [("status", "Draft"), ("published", "no"), ("is_draft", "1"), ("state", "ARCHIVED")],
)
def test_what_is_not_published_is_left_out(header: str, cells: str) -> None:
    (found,) = export(f"title,body,{header}\nQ?,A,{cells}\n")
    assert "not published" in str(found)


def test_fanlights_own_columns_are_left_to_the_csv_reader() -> None:
    (row,) = export("question,answer,variants,origin,source_hash\nQ,A,x|y,here, abc \n")
    assert isinstance(row, Row)
    assert (row.variants, row.origin, row.source_hash) == (("x", "y"), "here", "abc")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("title,views\nQ,1\n", 1, "no column is the answer"),
        ("body,views\nQ,1\n", 1, "no column is the question"),
        ("title,body\nQ\n", 2, "1 cells, but the header has 2"),
        ('title,body\n"Q"x,A\n', 2, "not CSV"),
    ],
)
def test_a_bad_export_row_is_one_problem(text: str, line: int, reason: str) -> None:
    (bad,) = export(text)
    assert isinstance(bad, Problem)
    assert bad.line == line
    assert reason in bad.reason


def test_a_long_article_is_read_and_one_without_end_is_a_problem() -> None:
    limit = csv.field_size_limit()
    long, endless = "<p>x</p>\n" * 20_000, "<br>" * 200_001
    row, bad, last = export(f'title,body\nQ?,"{long}"\nHow?,{endless}\nWhy?,So.\n')
    assert isinstance(row, Row)
    assert isinstance(bad, Problem)
    assert bad.line == 20_003
    assert "smaller page" in bad.reason
    assert isinstance(last, Row)
    assert csv.field_size_limit() == limit


def test_an_export_whose_header_cannot_be_read_gives_problems_alone() -> None:
    found = export('"a"b,c\nQ,A\n')
    assert found
    assert all(isinstance(one, Problem) for one in found)
    assert export("") == []


def markdown(text: str, locale: str | None = "en") -> list[Row | Problem]:
    return list(read_faq_markdown(io.StringIO(text), "faq.md", locale))


HANDBOOK = """\
---
title: Help
lang: es
---
# ¿Qué es esto?

Una introducción.

## Envíos

### 1. ¿Cuánto **tarda**? ##

Dos días. <script>alert(1)</script><br>Mira [esto](https://a.example).

#### Detalle

```
## ¿No es una pregunta? <b>
```

**¿Y fuera?**

Una semana, con <https://a.example> y <otro>.

## Otra cosa

Nada.
"""


def test_markdown_of_others_is_read_by_its_headings_that_ask() -> None:
    first, second = markdown(HANDBOOK, None)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.locale, first.line, first.question) == ("es", 11, "¿Cuánto tarda?")
    assert first.answer == (
        "Dos días. Mira [esto](https://a.example).\n\n#### Detalle\n\n"
        "```\n## ¿No es una pregunta? <b>\n```"
    )
    assert (second.line, second.question) == (21, "¿Y fuera?")
    assert second.answer == "Una semana, con <https://a.example> y &lt;otro>."


def test_markdown_in_fanlights_own_form_is_left_to_its_reader() -> None:
    (row,) = markdown("## Shipping {#ship}\n- also: parcels\n\nFast.\n")
    assert isinstance(row, Row)
    assert (row.id, row.variants) == ("ship", ("parcels",))


def test_a_first_level_heading_that_asks_is_read_where_no_question_is_under_it() -> None:
    found = markdown("# Why?\n\nSo.\n\n# What?\n\nThis.\n\n## Part\n\nx\n")
    assert [(row.question, row.answer) for row in found if isinstance(row, Row)] == [
        ("Why?", "So."),
        ("What?", "This.\n\n## Part\n\nx"),
    ]


def test_markdown_without_a_question_is_a_problem() -> None:
    (found,) = markdown("# Notes\n\nx\n")
    assert isinstance(found, Problem)
    assert "question mark" in found.reason


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a <b>b</b> <i x=y>c", "a b c"),
        ("a < b, `<b>` and ``<i> ` ``", "a < b, `<b>` and ``<i> ` ``"),
        ("<!-- x -->a<!-- y", "a"),
        ("<STYLE>x</style >a<script>", "a"),
        ("<x-y> </z> <!x> <?x>", "&lt;x-y> &lt;/z> &lt;!x> &lt;?x>"),
        ("~~~\n<b>\n~~~\n<b>", "~~~\n<b>\n~~~\n"),
    ],
)
def test_markdown_loses_its_html(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe


@given(text=st.text(alphabet=st.sampled_from("#*` \n<>!-b?[]()~a")) | st.text())
def test_any_markdown_is_read_and_made_safe(text: str) -> None:
    assert list(read_faq_markdown(io.StringIO(text), "faq.md", "en"))
    safe_markdown(text)


tags = ("<urlset>", "<url>", "<loc>", "x", "</loc>", "</url>", "</urlset>", "<!DOCTYPE x>", "&a;")


@given(text=st.text() | st.lists(st.sampled_from(tags)).map("".join))
def test_any_text_is_a_sitemap_or_refused(text: str) -> None:
    with suppress(SitemapError):
        sitemap(text)


@given(
    data=st.binary(), declared=st.text(max_size=20) | st.sampled_from(("utf-8", "utf-16", "gbk"))
)
def test_any_bytes_are_a_page_or_refused(data: bytes, declared: str) -> None:
    with suppress(CharsetError):
        decode_page(data, declared)


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("שלום".encode("cp1255"), "windows-1255", "שלום"),
        (b"<meta charset='iso-8859-1'>\x93\xf1", "", "<meta charset='iso-8859-1'>“ñ"),
        (b"<META http-equiv=x content='text/html; charset=ISO-8859-8-I'>\xf9", "",
         "<META http-equiv=x content='text/html; charset=ISO-8859-8-I'>ש"),
        ('<?xml version="1.0" encoding="latin1"?>ñ'.encode("latin-1"), "",
         '<?xml version="1.0" encoding="latin1"?>ñ'),
        ("\ufeffñ".encode("utf-16"), "iso-8859-1", "\ufeffñ"),
        ("\ufeffñ".encode(), "iso-8859-1", "ñ"),
        ("ñ".encode(), "", "ñ"),
    ],
)  # fmt: skip
def test_a_page_is_decoded_as_it_declares(data: bytes, declared: str, text: str) -> None:
    assert decode_page(data, declared) == text


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        ("año".encode("latin-1"), "utf-8", "is said to be utf-8"),
        ("año".encode("latin-1"), "", "declare its charset"),
        (b"<meta charset=base64>", "", "'base64' is not known"),
        (b"x", "idna", "'idna' is not known"),
        (b"x", "iso-8859-99", "is said to be"),
    ],
)
def test_a_page_in_another_charset_than_it_says_is_refused(
    data: bytes, declared: str, reason: str
) -> None:
    with pytest.raises(CharsetError, match=reason):
        decode_page(data, declared)
