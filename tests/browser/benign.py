"""Fifty Markdown documents as people and models write them, and how the panel shows each.

References, underlined headings and indented code are not read as such: they stand as written.
"""

from __future__ import annotations

from typing import Final

_APART: Final = 'target="_blank" rel="noopener noreferrer nofollow"'
_CODE: Final = (
    '<div class="code" dir="ltr"><button type="button" class="small-button">'
    '<span role="status">Copy</span></button><pre><code>{}</code></pre></div>'
)

SHOWN: Final[dict[str, str]] = {
    "A plain sentence.": "<p>A plain sentence.</p>",
    "Two paragraphs.\n\nThe second one.": "<p>Two paragraphs.</p><p>The second one.</p>",
    "A line  \nbroken by two blanks.": "<p>A line<br>broken by two blanks.</p>",
    "A line\\\nbroken by a backslash.": "<p>A line<br>broken by a backslash.</p>",
    "A soft\nbreak.": "<p>A soft\nbreak.</p>",
    "*Stressed* and _stressed_.": "<p><em>Stressed</em> and <em>stressed</em>.</p>",
    "**Strong** and __strong__.": "<p><strong>Strong</strong> and <strong>strong</strong>.</p>",
    "***Both at once***.": "<p><em><strong>Both at once</strong></em>.</p>",
    "**Strong with *stress* inside**.": (
        "<p><strong>Strong with <em>stress</em> inside</strong>.</p>"
    ),
    "snake_case_names stay as they are.": "<p>snake_case_names stay as they are.</p>",
    "2 * 3 * 4 is 24.": "<p>2 * 3 * 4 is 24.</p>",
    "`inline code` here.": "<p><code>inline code</code> here.</p>",
    "``code with a ` tick``.": "<p><code>code with a ` tick</code>.</p>",
    "`<b>` is a tag.": "<p><code>&lt;b&gt;</code> is a tag.</p>",
    "# A heading": "<p><strong>A heading</strong></p>",
    "## A smaller one\n\nwith text below.": (
        "<p><strong>A smaller one</strong></p><p>with text below.</p>"
    ),
    "Underlined\n===": "<p>Underlined\n===</p>",
    "- one\n- two": "<ul><li><p>one</p></li><li><p>two</p></li></ul>",
    "* star\n* list": "<ul><li><p>star</p></li><li><p>list</p></li></ul>",
    "+ plus": "<ul><li><p>plus</p></li></ul>",
    "1. first\n2. second": '<ol start="1"><li><p>first</p></li><li><p>second</p></li></ol>',
    "7. seventh\n8. eighth": '<ol start="7"><li><p>seventh</p></li><li><p>eighth</p></li></ol>',
    "1) with brackets\n2) again": (
        '<ol start="1"><li><p>with brackets</p></li><li><p>again</p></li></ol>'
    ),
    "- outer\n  - inner\n- outer again": (
        "<ul><li><p>outer</p><ul><li><p>inner</p></li></ul></li><li><p>outer again</p></li></ul>"
    ),
    "1. step\n   - detail": (
        '<ol start="1"><li><p>step</p><ul><li><p>detail</p></li></ul></li></ol>'
    ),
    "- loose\n\n- list": "<ul><li><p>loose</p></li><li><p>list</p></li></ul>",
    "- item with **strong**": "<ul><li><p>item with <strong>strong</strong></p></li></ul>",
    "> A quote.": "<blockquote><p>A quote.</p></blockquote>",
    "> A quote\n> of two lines.": "<blockquote><p>A quote\nof two lines.</p></blockquote>",
    "> > A quote in a quote.": (
        "<blockquote><blockquote><p>A quote in a quote.</p></blockquote></blockquote>"
    ),
    "> - a list in a quote": "<blockquote><ul><li><p>a list in a quote</p></li></ul></blockquote>",
    "above\n\n---\n\nbelow": "<p>above</p><hr><p>below</p>",
    "```\nconst x = 1;\n```": _CODE.format("const x = 1;"),
    "```python\nprint('<b>')\n```": _CODE.format("print('&lt;b&gt;')"),
    "    indented code": "<p>indented code</p>",
    "[A link](https://example.com/page)": (
        f'<p><a href="https://example.com/page" {_APART}>A link</a></p>'
    ),
    "[With a title](https://example.com/ 'Title')": (
        f'<p><a href="https://example.com/" {_APART}>With a title</a></p>'
    ),
    "<https://example.com/auto>": (
        f'<p><a href="https://example.com/auto" {_APART}>https://example.com/auto</a></p>'
    ),
    "[By reference][ref]\n\n[ref]: https://example.com/ref": (
        "<p>[By reference][ref]</p><p>[ref]: https://example.com/ref</p>"
    ),
    "Write to [us](mailto:help@example.com).": (
        f'<p>Write to <a href="mailto:help@example.com" {_APART}>us</a>.</p>'
    ),
    "**[A strong link](http://example.com/)**": (
        f'<p><strong><a href="http://example.com/" {_APART}>A strong link</a></strong></p>'
    ),
    "AT&amp;T &copy; 2026 &mdash; café": "<p>AT&amp;T © 2026 — café</p>",
    "5 < 6 and 7 > 6 & so on": "<p>5 &lt; 6 and 7 &gt; 6 &amp; so on</p>",
    "\\*no stress\\* \\[no link\\]": "<p>*no stress* [no link]</p>",
    "Price: 5 € – “quoted” … 🙂": "<p>Price: 5 € – “quoted” … 🙂</p>",
    "שלום **עולם**": "<p>שלום <strong>עולם</strong></p>",
    "¿Qué hora es? *Las cinco.*": "<p>¿Qué hora es? <em>Las cinco.</em></p>",
    "Mixed: שלום, hello!": "<p>Mixed: שלום, hello!</p>",
    "https://example.com/ is not made a link of by itself.": (
        "<p>https://example.com/ is not made a link of by itself.</p>"
    ),
    "Ends with a question? Yes!": "<p>Ends with a question? Yes!</p>",
}
