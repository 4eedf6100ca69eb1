from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.escalation.slack_text import markdown


@pytest.mark.parametrize(
    ("mrkdwn", "expected"),
    [
        ("Tomorrow, at nine.", "Tomorrow, at nine."),
        ("*bold* and _it_ and ~no~", "**bold** and _it_ and ~~no~~"),
        ("a snake_case and 3*4*5", r"a snake\_case and 3\*4\*5".replace(r"\_", "_")),
        ("*", r"\*"),
        ("<https://x.example/a_b|the page>", "[the page](https://x.example/a_b)"),
        ("<https://x.example>", "[https://x.example](https://x.example)"),
        ("<https://x.example/(a)>", "[https://x.example/(a)](https://x.example/%28a%29)"),
        ("<mailto:a@b.example|a@b.example>", "[a@b.example](mailto:a@b.example)"),
        ("<javascript:alert(1)|press>", "press"),
        ("<data:text/html,x>", "data:text/html,x"),
        ("<@U123> and <@U1|dana>", "@U123 and @dana"),
        ("<#C1|general>", r"\#general"),
        ("<!here> <!channel>", "@here @channel"),
        ("<!date^1392734382^{date}|18 Feb>", "18 Feb"),
        ("<!subteam^S1|@night>", "@night"),
        ("a &lt; b &amp;&amp; c &gt; d", r"a \< b && c \> d"),
        ("&amp;lt;", "&lt;"),
        ("&gt; quoted\nmine", "> quoted  \nmine"),
        ("one\ntwo\n\nthree", "one  \ntwo\n\nthree"),
        ("# no heading", r"\# no heading"),
        ("[no](javascript:x)", r"\[no\](javascript:x)"),
        ("![no](http://e)", r"\!\[no\](http://e)"),
        ("`a &lt; *b*`", "`a < *b*`"),
        ("before ```x &lt; y\n*z*``` after", "before \n\n```\nx < y\n*z*\n```\n\n after"),
        ("`see <https://x.example|it>`", "`see it`"),
        ("שלום *עולם*", "שלום **עולם**"),
        ("\x00 1\x00", "1"),
        ("", ""),
    ],
)
def test_mrkdwn_becomes_markdown(mrkdwn: str, expected: str) -> None:
    assert markdown(mrkdwn) == expected


PIECES = st.lists(
    st.sampled_from(
        (
            *(
                "*",
                "_",
                "~",
                "`",
                "```",
                "<",
                ">",
                "|",
                "\n",
                "&lt;",
                "&gt;",
                "&amp;",
                "!",
                "[",
                "](",
            ),
            *(
                "<https://e.example|",
                "<javascript:x|",
                "<!here>",
                "<@U1>",
                ")",
                "#",
                "\\",
                "a",
                " ",
            ),
            "\x00",
        )
    ),
    max_size=30,
).map("".join)


@given(mrkdwn=PIECES | st.text())
def test_no_text_becomes_markup_that_slack_did_not_show(mrkdwn: str) -> None:
    """Outside code no raw angle bracket is left, and a link leads by http, https or mailto."""
    made = markdown(mrkdwn)
    prose = re.sub(r"```.*?```|`[^`\n]+`", "", made.replace("\\`", ""), flags=re.DOTALL)
    bare = re.sub(r"\\.", "", prose, flags=re.DOTALL)
    assert "<" not in bare
    for address in re.findall(r"(?<!\\)\]\(([^)]*)\)", prose):
        assert address.startswith(("http://", "https://", "mailto:"))
