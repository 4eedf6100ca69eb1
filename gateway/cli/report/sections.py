"""The parts of a report in an owner's words: what becomes of questions, and what to do about it.

Decides the words, and how much of each list is shown. What is worst is decided in `kb`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.cli.report.charts import parts_of_whole, reliability, risk_curve
from gateway.cli.report.html import (
    Html,
    folded,
    join,
    of_hundred,
    own,
    para,
    percent,
    plain,
    quote,
    section,
    table,
)
from kb.curves import Point
from kb.finding import Finding
from kb.overview import FEW_WRONG, Overview
from kb.rehearsal import Fate

PAIRS_SHOWN: Final = 12
ENTRIES_SHOWN: Final = 15
STRANGERS_SHOWN: Final = 15
FINDINGS_SHOWN: Final = 60
BELIEVED: Final = 0.05
ROUGHLY: Final = 0.1
"""Calibration errors up to which a confidence is called good, and fair."""
SIMULATED: Final = (
    "These are not your visitors. Nobody has marked real questions yet, so they were simulated: "
    "your own ways to ask, held back, misspelt or reworded; the questions of entries that were "
    "hidden for a while; and everyday questions that no site answers. On public data, real "
    "visitors were answered 9 points of 100 more to 11 less often than this said, and up to three "
    "times as many of those answers were wrong. With real questions of your own (--queries), this "
    "page says what holds for them."
)
_FEW: Final = "Too few were asked to be certain of any one of them; look for what comes up again."

_FATES: Final = (
    ("right", "answered, and rightly"),
    ("wrong", "answered with another entry than the one that was meant"),
    ("stranger", "answered though the knowledge base has no answer"),
    ("offered", "asked back, with the right entry among the choices"),
    ("vain", "asked back in vain: none of the choices is meant"),
    ("helped", "left to a person, though the right entry came first"),
    ("asked", "left to a person, as they should be"),
)


def summary(view: Overview) -> Html:
    """Say in a sentence what becomes of a hundred questions, and what follows."""
    shares = view.shares
    parts = of_hundred([getattr(shares, kind) for kind, _ in _FATES])
    right, wrong, stranger, offered, vain, helped, asked = parts
    lead = Html(
        f"Of 100 questions, <b>{right}</b> {_get(right)} the right answer at once, "
        f"<b>{wrong + stranger}</b> {_get(wrong + stranger)} a wrong one, "
        f"<b>{offered + vain}</b> {_is(offered + vain)} asked which of two or three is meant, and "
        f"<b>{helped + asked}</b> {_go(helped + asked)} to a person."
    )
    named = [(kind, label, part) for (kind, label), part in zip(_FATES, parts, strict=True)]
    legend = "".join(
        f'<li><span class="key {kind}"></span><span class="amount">{part}</span>{plain(label)}</li>'
        for kind, label, part in named
    )
    drawing = parts_of_whole("whole", "What becomes of a hundred questions", named)
    return section(
        "summary",
        "In short",
        para(lead, "lead"),
        Html(f'<figure class="whole">{drawing}</figure><ul class="legend">{legend}</ul>'),
        para(plain(SIMULATED), "note") if not view.asking.own else Html(""),
        para(_believed(view)),
        para(_advised(view)),
    )


def threshold(view: Overview) -> Html:
    """Draw what another threshold would mean."""
    rows = (
        [
            _line(point, view.at),
            plain(percent(point.answered)),
            plain(percent(point.wrong)),
            plain(percent(1 - point.answered)),
        ]
        for point in view.steps
    )
    return section(
        "threshold",
        "Where to draw the line",
        para(
            plain(
                "An answer is shown from this confidence on. A lower line answers more and errs "
                "more; a higher one wakes a person more often."
            )
        ),
        _drawing(
            risk_curve(view.curve, view.at),
            "Each point of the curve is a threshold: the strictest at the left, none at all at "
            "the right.",
        ),
        table(
            "What each threshold means",
            ("threshold", "#answered", "#wrong, of those", "#to a person"),
            rows,
        ),
    )


def confidence(view: Overview) -> Html:
    """Draw whether the confidence means what it says."""
    rows = (
        [
            plain(f"{one.start:.1f} to {one.start + 0.1:.1f}"),
            plain(f"{one.count:,}"),
            plain(percent(one.confidence)),
            plain(percent(one.right)),
            plain(f"{percent(one.low)} to {percent(one.high)}"),
        ]
        for one in view.bins
    )
    return section(
        "confidence",
        "Can the confidence be believed?",
        para(_believed(view)),
        _drawing(
            reliability(view.bins, view.threshold),
            "Dots on the dotted line are honest; below it the confidence is too bold, above it too "
            "shy. The strokes say where a dot may truly lie, the small numbers how many questions "
            "there were.",
        ),
        folded(
            "The figures",
            table(
                "First answers by their confidence, shown or not",
                ("confidence", "#questions", "#mean confidence", "#right", "#may truly be"),
                rows,
            ),
        ),
    )


def confusions(view: Overview) -> Html:
    """Say which entries are taken for which."""
    pairs = view.confusions[:PAIRS_SHOWN]
    if not pairs:
        said = para(plain("No entry was taken for another one."))
        return section("confusions", "What is mixed up", said)
    rows = (
        [
            own(pair.expected),
            own(pair.first),
            plain(str(pair.count)),
            plain(str(pair.shown)),
            join([quote(text) for text in pair.examples], " "),
        ]
        for pair in pairs
    )
    heads = ("meant", "taken for", "#asked", "#shown", "such as")
    return section(
        "confusions",
        "What is mixed up",
        para(
            plain(
                "Say in the ways to ask what sets one entry apart from the other, or join the two "
                "where their answers are one."
            )
        ),
        table("Entries that are taken for another one", heads, rows, stacked=True),
        _more(len(view.confusions) - len(pairs), "pairs"),
    )


def entries(view: Overview) -> Html:
    """Name the entries that fail most, and what to do about each."""
    worst = [fate for fate in view.fates if fate.right < fate.asked]
    remedies: dict[str, Finding] = {}
    for finding in view.report.findings:
        remedies.setdefault(finding.entry_id, finding)
    rows = (
        [
            own(fate.entry_id),
            plain(percent(fate.risk)),
            plain(str(fate.asked)),
            plain(str(fate.wrong)),
            plain(str(fate.unsure)),
            own(_remedy(fate, remedies.get(fate.entry_id))),
        ]
        for fate in worst[:ENTRIES_SHOWN]
    )
    heads = ("entry", "#not answered", "#asked", "#wrong", "#to a person", "what to do")
    return section(
        "entries",
        "The entries that fail most",
        para(plain(_FEW), "soft"),
        table(
            "Entries by the share of their questions that they do not answer",
            heads,
            rows,
            stacked=True,
        )
        if worst
        else para(plain("Every entry answered all that was asked of it.")),
        _more(len(worst) - ENTRIES_SHOWN, "entries"),
    )


def strangers(view: Overview) -> Html:
    """List the questions without an answer that got one."""
    shown = view.strangers[:STRANGERS_SHOWN]
    rows = (
        [quote(one.text), own(one.first or ""), plain(f"{one.confidence:.2f}")] for one in shown
    )
    return section(
        "strangers",
        "Answered though there is no answer",
        para(
            plain(
                "A visitor who asks one of these is shown an answer to something else. If it is "
                "asked often, write an entry for it."
                if shown
                else "No question without an answer was given one."
            )
        ),
        table(
            "Questions without an answer that got one",
            ("asked", "shown", "#confidence"),
            rows,
            stacked=True,
        )
        if shown
        else Html(""),
        _more(len(view.strangers) - len(shown), "questions"),
    )


def languages(view: Overview) -> Html:
    """Say what is written in which language, and what misses."""
    gaps = [one for one in view.report.findings if one.kind == "locale_gap"]
    rows = (
        [plain(locale), plain(f"{count:,}"), plain(f"{ways:,}"), plain(f"{ways / count:.1f}")]
        for locale, count, ways in view.languages
    )
    heads = ("language", "#entries", "#ways to ask", "#ways an entry")
    missing = (
        folded(
            f"{len(gaps)} entries miss in a language that others have",
            Html(f'<ul class="findings">{join(map(_finding, gaps[:FINDINGS_SHOWN]))}</ul>'),
            _more(len(gaps) - FINDINGS_SHOWN, "entries"),
        )
        if gaps
        else para(plain("No entry misses in a language that others are written in."))
    )
    return section("languages", "Languages", table("What is written", heads, rows), missing)


def mend(view: Overview) -> Html:
    """List what `fanlight kb check` found, worst first."""
    findings = [one for one in view.report.findings if one.kind != "locale_gap"]
    problems = sum(one.severity == "problem" for one in findings)
    hints = len(findings) - problems
    listed = Html(f'<ul class="findings">{join(map(_finding, findings[:FINDINGS_SHOWN]))}</ul>')
    return section(
        "mend",
        "What to mend",
        para(plain(f"{_count(problems, 'problem')} and {_count(hints, 'hint')}, worst first.")),
        listed if findings else Html(""),
        _more(len(findings) - FINDINGS_SHOWN, "findings; fanlight kb check lists them all"),
    )


def notes(view: Overview) -> Iterator[Html]:
    """Say what could not be looked at."""
    for note in view.notes:
        yield para(plain(note), "note")


def _believed(view: Overview) -> Html:
    gap = sum(one.count * (one.confidence - one.right) for one in view.bins)
    ways = "bolder" if gap > 0 else "shyer"
    said = (
        "The confidence can be taken at its word"
        if view.ece <= BELIEVED
        else f"The confidence is roughly right, and {ways} than it should be"
        if view.ece <= ROUGHLY
        else f"The confidence cannot be taken at its word: it is {ways} than it should be"
    )
    marks = (
        ""
        if view.asking.marks or view.ece <= BELIEVED
        else (" Some fifty marked questions correct that (--marked).")
    )
    return plain(f"{said}: on average it is off by {100 * view.ece:.1f} points of 100.{marks}")


def _advised(view: Overview) -> Html:
    advice, most = view.advice, f"{FEW_WRONG:.0%}"
    if view.at.wrong <= FEW_WRONG:
        return plain(
            f"At your threshold of {view.at.threshold:g}, {percent(view.at.wrong)} of the answers "
            f"shown are wrong: that is within {most}, and good."
        )
    if advice is None or advice.answered < 0.01:
        return plain(
            f"At your threshold of {view.at.threshold:g}, {percent(view.at.wrong)} of the answers "
            f"shown are wrong, and no other threshold keeps that within {most}: mend the entries "
            "below first."
        )
    return plain(
        f"At your threshold of {view.at.threshold:g}, {percent(view.at.wrong)} of the answers "
        f"shown are wrong. To keep that within {most} without mending anything, answer from "
        f"{advice.threshold:g}: then {percent(advice.answered)} of the questions are answered."
    )


def _line(point: Point, at: Point) -> Html:
    said = plain(f"{point.threshold:g}")
    return Html(f"<mark>{said}, yours</mark>") if point == at else said


def _drawing(drawing: Html, caption: str) -> Html:
    return Html(
        f'<figure class="drawing">{drawing}<figcaption>{plain(caption)}</figcaption></figure>'
    )


def _finding(one: Finding) -> Html:
    kind = one.kind.replace("_", " ")
    return Html(
        f'<li><span class="tag {one.severity}">{plain(kind)}</span>'
        f"<b>{own(one.entry_id)}</b> ({plain(one.locale)})"
        f"{para(own(one.why))}{para(own(one.remedy), 'soft')}</li>"
    )


def _remedy(fate: Fate, finding: Finding | None) -> str:
    if finding is not None and finding.kind not in {"locale_gap", "short_answer", "long_answer"}:
        return finding.remedy
    if fate.wrong > fate.unsure:
        return "Say in its ways to ask what sets it apart from what is shown instead."
    return "Add ways to ask in visitors' own words; fanlight kb suggest proposes some."


def _more(count: int, what: str) -> Html:
    return para(plain(f"And {count:,} more {what}."), "soft") if count > 0 else Html("")


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _get(count: int) -> str:
    return "gets" if count == 1 else "get"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _go(count: int) -> str:
    return "goes" if count == 1 else "go"
