"""HTML to tokens, to a tree, to Markdown: what survives, and that nothing hostile does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.readers.html_markdown import html_to_markdown
from kb.readers.html_tokens import End, Start, Text, tokens
from kb.readers.html_tree import MAX_DEPTH, parse_page, text_of
from kb.readers.web_page import read_web_page

BASE = "https://shop.example/help/faq"
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
NAMES = ("p", "b", "a", "ul", "li", "table", "td", "details", "summary", "h2", "script", "div")


def shown(html: str) -> str:
    return text_of(parse_page(html).root)


def test_tags_texts_and_lines_come_in_order() -> None:
    found = list(tokens('<P Class=x\n ID="a>b" id=c>1 &lt; 2<!-- no --></p><br/>'))
    assert found == [
        Start("p", {"class": "x", "id": "a>b"}, 1),
        Text("1 < 2"),
        End("p"),
        Start("br", {}, 2),
    ]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a < b, a <3 and </ c", "a < b, a <3 and"),
        ("a<!-- > -- ->b", "a"),
        ("a<!doctype html>b<?php c ?>d", "abd"),
        ("a<![CDATA[b]]>c", "ac"),
        ("a<b never closed", "a"),
        ("<p title=don't>a</p>", "a"),
        ("<script>a</b></SCRIPT >b", "b"),
        ("<style>a", ""),
        ("&#99999999999;&#x110000;&amp;&unknown;", "\ufffd\ufffd&&unknown;"),
        ("&#" + "1" * 5_000 + ";", "\ufffd"),
    ],
)
def test_malformed_markup_is_read_as_browsers_do(html: str, text: str) -> None:
    assert shown(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<nav>x</nav>",
        "<header>x</header>",
        "<footer>x</footer>",
        "<form>x</form>",
        "<svg><text>x</text></svg>",
        "<template>x</template>",
        "<noscript>x</noscript>",
        "<p hidden>x</p>",
        "<p aria-hidden=true>x</p>",
        "<p style='color:red; DISPLAY : none'>x</p>",
        "<p style=visibility:hidden>x</p>",
        "<div role=navigation>x</div>",
        "<textarea>x</textarea>",
        "<select><option>x</select>",
    ],
)
def test_what_a_visitor_does_not_read_is_left_out(html: str) -> None:
    assert shown(f"<p>a</p>{html}<p>b</p>") == "a b"


def test_a_form_around_a_whole_page_and_a_header_in_an_article_are_read() -> None:
    assert shown("<form><h1>a</h1></form><article><header>b</header></article>") == "a b"


def test_missing_end_tags_are_supplied() -> None:
    assert html_to_markdown("<ul><li>a<li>b<ul><li>c</ul><li>d</ul><p>e<p>f") == (
        "- a\n- b\n  - c\n- d\n\ne\n\nf"
    )


def test_deep_nesting_is_flattened(long: bool) -> None:
    page = parse_page("<div>" * (1_000_000 if long else 100_000) + "deep")
    assert len(page.elements) == MAX_DEPTH
    assert text_of(page.root) == "deep"


@pytest.mark.parametrize(
    "unit", ["<!--", "<a x='\"", "<a ='", "</", "<script></", "&#", "<![CDATA[", "<?", '<a b="c'],
)  # fmt: skip
def test_malformed_text_of_a_megabyte_is_read(unit: str) -> None:
    # With a quadratic parser each of these takes hours, and the test its timeout.
    parse_page(unit * (1_000_000 // len(unit)))


MARKDOWN = [
    ("plain\ntext", "plain\n\ntext"),
    ("<p>a <b>b</b> <i>c</i> <code>d*e</code></p>", "a **b** *c* `d*e`"),
    ("<b> a </b>b<strong>c</strong><b>d</b>", "**a** b**cd**"),
    ("<b>a <b>b</b></b><b> </b>", "**a b**"),
    ("<p>a<br>b", "a  \nb"),
    ("<h3>a <b>b</b></h3><p>c", "**a b**\n\nc"),
    ("<ol><li><p>a</p><p>b</p></li><li>c</ol>", "1. a\n\n   b\n2. c"),
    ("<ul>a<li>b</ul>", "- a\n- b"),
    ("<ul><li>a</li><ul><li>b</ul></ul>", "- a\n  - b"),
    ("<blockquote><p>a<p>b</blockquote>", "> a\n>\n> b"),
    ("<pre>\n a &lt; b\n\n</pre>", "```\n a < b\n```"),
    ("<pre>```</pre>", "````\n```\n````"),
    ("<code>a`b</code><code>c</code><code></code>", "``a`b`` `c`"),
    ("<code>`</code>", "`` ` ``"),
    ("<table><tr><th>Plan<th>Price<tr><td>S<td>1<tr><td>M<td></table>",
     "- Plan: S; Price: 1\n- Plan: M"),
    ("<table><tr><td>a<td>b</table>", "- a; b"),
    ("<dl><dt>a<dd>b</dl>", "**a**\n\nb"),
    ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
    ("<span>a<p>b</p></span>", "a\n\nb"),
    ("<p>a<img src=x alt=y>b<hr>c<button>d</button>", "ab\n\nc"),
    ("<p># a</p><p>- b</p><p>1. c</p><p>&gt; d</p>", "\\# a\n\n\\- b\n\n1\\. c\n\n\\> d"),
    ("<p>*a* _b_ c_d [e](f) \\ `g`</p>", "\\*a\\* \\_b\\_ c_d \\[e\\](f) \\\\ \\`g\\`"),
    ("<p>&lt;b&gt; &amp;lt;</p>", "&lt;b> &amp;lt;"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("html", "markdown"), MARKDOWN)
def test_what_is_allowed_becomes_markdown(html: str, markdown: str) -> None:
    assert html_to_markdown(html) == markdown


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("../orders", "https://shop.example/orders"),
        ("#top", "https://shop.example/help/faq#top"),
        ("//cdn.example/a b", "https://cdn.example/a%20b"),
        ("/x(1)", "https://shop.example/x%281%29"),
        ("mailto:a@shop.example", "mailto:a@shop.example"),
        ("HTTPS://other.example", "https://other.example"),
    ],
)
def test_links_become_absolute(href: str, address: str) -> None:
    assert html_to_markdown(f'<a href="{href}">x</a>', BASE) == f"[x]({address})"


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java&#10;script:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "ftp://x.example",
        "https://a@evil.example/",
        "https://[::1",
        "tel:1",
        "",
    ],
)
def test_a_link_that_may_not_be_one_keeps_its_words_only(href: str) -> None:
    assert html_to_markdown(f'<a href="{href}">x</a>', BASE) == "x"


def test_relative_links_of_a_page_without_address_keep_their_words_only() -> None:
    assert html_to_markdown("<a href=x>a</a> <a href=https://b.example>b</a>") == (
        "a [b](https://b.example)"
    )


def test_a_link_in_a_link_is_one_link() -> None:
    assert html_to_markdown("<a href=/a>a <a href=/b>b</a></a>", BASE).count("](") == 1


HOSTILE = [
    "<p onclick=alert(1)>a</p>",
    "<svg onload=alert(1)><script>x</script></svg>a",
    "<img src=x onerror=alert(1)>a",
    "<iframe srcdoc='<script>x</script>'></iframe>a",
    "<style>@import 'x'</style>a<object data=x></object>",
    "<<script>x</script>script>a</p>&lt;script&gt;",
    "<a href='javascript:x'><img src=y></a>a",
    "<math><mtext><script>x</script></mtext></math>a",
    "<p>a</p><!--><script>x</script>-->",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_that_could_run_survives(html: str) -> None:
    found = html_to_markdown(html, BASE)
    assert "a" in found
    assert re.findall(r"<|javascript:|on\w+=|\]\(", found) == []


pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(("<", ">", "&", "\"", "'", "=", "`", "**", "[", "](", "<!--", "-->", "&lt;")),
    st.builds("<{}>".format, st.sampled_from(NAMES)),
    st.builds("</{}>".format, st.sampled_from(NAMES)),
    st.builds("<a href='{}'>".format, st.text(max_size=10)),
    st.sampled_from(('<script type="application/ld+json">', "<code>", "<pre>", "<html lang=he>")),
)  # fmt: skip


@given(parts=st.lists(pieces, max_size=40))
def test_any_text_is_read(parts: list[str]) -> None:
    html = "".join(parts)
    for row in read_web_page(iter([html]), BASE, "en"):
        assert row.source == BASE
    html_to_markdown(html, BASE)


@given(parts=st.lists(pieces.filter(lambda text: "code" not in text and "pre" not in text)))
def test_markdown_holds_no_raw_html(parts: list[str]) -> None:
    assert "<" not in html_to_markdown("".join(parts), BASE)


@given(text=st.text())
def test_code_alone_may_hold_an_angle_bracket(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    found = html_to_markdown(f"<p>a<code>{escaped}</code>&lt;b</p>")
    assert "<" not in CODE.sub("", found)
