"""A report as one HTML page: no script, nothing from elsewhere, light and dark, and fit for print.

Decides the order of the parts and what the page may do: its own style and nothing more, by a
content security policy that names the style by its hash.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from importlib import resources
from typing import Final

from gateway.cli.report import sections
from gateway.cli.report.html import Html, join, own, para, percent, plain, section
from kb.overview import Overview

_MARK: Final = (
    '<svg viewBox="0 0 32 32" aria-hidden="true">'
    '<path class="glass" d="M4 23a12 12 0 0 1 24 0z"/>'
    '<path class="frame" d="M4 23a12 12 0 0 1 24 0zM16 23V11M16 23 7.5 14.5M16 23l8.5-8.5"/></svg>'
)
_PARTS: Final = (
    ("summary", "In short"),
    ("threshold", "The line"),
    ("confidence", "Confidence"),
    ("confusions", "Mixed up"),
    ("entries", "Entries"),
    ("strangers", "No answer"),
    ("languages", "Languages"),
    ("mend", "To mend"),
    ("how", "How it was measured"),
)
_MEANING: Final = (
    "A question counts as answered when its first answer reaches the threshold, and as right when "
    "that answer is the entry that was meant. The error of the confidence is the mean gap between "
    "confidence and share of right answers, over ten bins of equal count. Ranges are 95 % Wilson "
    "intervals."
)
_OF_THE_ENTRIES: Final = ("languages", "mend", "how")
"""Parts that stand also where nothing could be asked."""


def page(view: Overview, title: str) -> Html:
    """Give the whole page; the same overview gives the same text."""
    style = resources.files("gateway.cli.report").joinpath("report.css").read_text("utf-8")
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return Html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{plain(title)}: how well it answers</title><style>{style}</style></head>"
        f"<body>{_head(view, title)}<main>{_parts(view)}</main>{_foot(view)}</body></html>\n"
    )


def _head(view: Overview, title: str) -> Html:
    ways = sum(count for _, _, count in view.languages)
    locales = ", ".join(locale for locale, _, _ in view.languages)
    links = "".join(
        f'<li><a href="#{name}">{plain(label)}</a></li>'
        for name, label in _PARTS
        if _has(view, name)
    )
    return Html(
        f'<header><div class="mark">{_MARK}<span>Fanlight</span></div>'
        f"<h1>How well does {own(title)} answer?</h1>"
        + para(
            plain(
                f"{view.entries:,} entries in {locales} · {ways:,} ways to ask · answers are shown "
                f"from a confidence of {view.threshold:g} · index {view.release}"
            ),
            "facts",
        )
        + f'<nav aria-label="Parts of this page"><ul>{links}</ul></nav></header>'
    )


def _parts(view: Overview) -> Html:
    asked = (
        sections.summary,
        sections.threshold,
        sections.confidence,
        sections.confusions,
        sections.entries,
        sections.strangers,
    )
    always = (sections.languages, sections.mend, _how)
    wanted = (*(asked if view.asking.count else ()), *always)
    return join([*sections.notes(view), *(part(view) for part in wanted)])


def _has(view: Overview, name: str) -> bool:
    return bool(view.asking.count) or name in _OF_THE_ENTRIES


def _how(view: Overview) -> Html:
    asking = view.asking
    sources = (
        f"{asking.count:,} questions of your own were asked, {percent(asking.out_of_scope)} of "
        "which have no answer here."
        if asking.own
        else f"{asking.count:,} simulated questions were asked, drawn anew from your own ways to "
        "ask and from everyday questions, and weighed so that "
        f"{percent(asking.out_of_scope)} have no answer here. The findings and remedies come from "
        "hurried copies of every way to ask."
    )
    marks = (
        f"{asking.marks:,} more, drawn at random, were taken as marked by you: they corrected the "
        "confidence, and are not counted."
    )
    strange = (
        f"{asking.strange:,} of them name an entry that is not in the knowledge base: they count "
        "as questions without an answer."
    )
    said = [
        sources if asking.count else "",
        marks if asking.marks else "",
        strange if asking.strange else "",
        _MEANING,
    ]
    return section("how", "How it was measured", *(para(plain(one)) for one in said if one))


def _foot(view: Overview) -> Html:
    made = f"Written by fanlight kb report for index {view.release}."
    care = " It holds questions of your visitors: share it with care." if view.asking.own else ""
    return Html(f"<footer>{plain(made + care)}</footer>")
