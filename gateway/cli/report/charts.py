"""The drawings of a report, as SVG that needs no script: each with a title and a description.

Decides scales and marks. Colours are the style sheet's; a drawing is never the only place of a
figure, the tables beside it have them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from gateway.cli.report.html import Html, percent
from kb.curves import Bin, Point

WIDTH: Final = 360
HEIGHT: Final = 236
STEPS: Final = 4
MOST_POINTS: Final = 160


@dataclass(frozen=True, slots=True)
class Frame:
    """The field of a drawing, in units of its view box, and where its vertical scale ends."""

    left: float = 38
    top: float = 24
    right: float = WIDTH - 20
    bottom: float = HEIGHT - 40
    most: float = 1.0

    def x(self, share: float) -> float:
        """Give the place of a share in [0, 1] across."""
        return round(self.left + (self.right - self.left) * share, 1)

    def y(self, share: float) -> float:
        """Give the height of a share in [0, `most`]."""
        return round(self.bottom - (self.bottom - self.top) * min(1.0, share / self.most), 1)


def parts_of_whole(name: str, title: str, parts: Sequence[tuple[str, str, int]]) -> Html:
    """Draw one bar of (kind, label, part of a hundred)."""
    drawn, at = [], 0.0
    for kind, _, size in parts:
        width = round(WIDTH * size / 100, 1)
        if width:
            drawn.append(f'<rect class="part {kind}" x="{at}" y="0" width="{width}" height="10"/>')
        at = round(at + width, 1)
    description = ", ".join(f"{label}: {size}" for _, label, size in parts)
    return _svg(name, title, description, drawn, 10, stretched=True)


def risk_curve(curve: Sequence[Point], at: Point) -> Html:
    """Draw wrong among answered over answered, from the strictest threshold to none at all."""
    thinned = [*curve[:: max(1, len(curve) // MOST_POINTS)], *curve[-1:]]
    # The first few answers alone are chance: they would only stretch the scale.
    steady = [point.wrong for point in curve if point.answered >= 0.05] or [0.0]
    frame = Frame(most=_rounded(max(*steady, at.wrong, 0.05)))
    line = " ".join(f"{frame.x(p.answered)},{frame.y(p.wrong)}" for p in thinned)
    x, y = frame.x(at.answered), frame.y(at.wrong)
    beyond = x > (frame.left + frame.right) / 2
    drawn = [
        *_across(frame, "answered, of all questions"),
        *_upwards(frame, "wrong, of those answered"),
        f'<polyline class="curve" points="{line}"/>',
        f'<path class="threshold" d="M{x} {frame.top}V{frame.bottom}"/>',
        f'<circle class="dot" cx="{x}" cy="{y}" r="5"/>',
        _text(
            x - 7 if beyond else x + 7, frame.top + 14,
            f"your threshold {at.threshold:g}", "strong", "end" if beyond else "start",
        ),
    ]  # fmt: skip
    return _svg(
        "risk-curve",
        "Wrong answers against answered questions",
        f"At the threshold {at.threshold:g}, {percent(at.answered)} of the questions are answered, "
        f"and {percent(at.wrong)} of those answers are wrong. Without a threshold, "
        f"{percent(curve[-1].wrong if curve else 0)} would be.",
        drawn,
        HEIGHT,
    )


def reliability(bins: Sequence[Bin], threshold: float) -> Html:
    """Draw the share of right answers over the confidence, with counts; true is the diagonal."""
    frame = Frame(bottom=HEIGHT - 52)
    drawn = [
        *_across(frame, "confidence shown", 12),
        *_upwards(frame, "right first answers"),
        f'<path class="ideal" d="M{frame.x(0)} {frame.y(0)}L{frame.x(1)} {frame.y(1)}"/>',
        f'<path class="threshold" d="M{frame.x(threshold)} {frame.top}V{frame.bottom}"/>',
    ]
    for one in bins:
        x = frame.x(one.confidence)
        drawn += [
            f'<path class="range" d="M{x} {frame.y(one.low)}V{frame.y(one.high)}"/>',
            f'<circle class="dot" cx="{x}" cy="{frame.y(one.right)}" r="4"/>',
            _text(
                frame.x(one.start + 0.05), frame.bottom + 12, _short(one.count), "count", "middle"
            ),
        ]
    return _svg(
        "reliability",
        "Confidence against right answers",
        "For each tenth of confidence, the share of first answers that were right, with the range "
        "in which it may truly lie, and how many questions there were. On the diagonal the "
        "confidence means what it says.",
        drawn,
        HEIGHT,
    )


def _svg(
    name: str,
    title: str,
    description: str,
    drawn: Iterable[str],
    height: int,
    *,
    stretched: bool = False,
) -> Html:
    fit = ' preserveAspectRatio="none"' if stretched else ""
    return Html(
        f'<svg viewBox="0 0 {WIDTH} {height}"{fit} role="img" '
        f'aria-labelledby="{name}-title {name}-text" direction="ltr">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-text">{escape(description)}</desc>{"".join(drawn)}</svg>'
    )


def _across(frame: Frame, label: str, lower: float = 0) -> list[str]:
    middle = (frame.left + frame.right) / 2
    return [
        f'<path class="axis" d="M{frame.left} {frame.bottom}H{frame.right}"/>',
        *(
            _text(frame.x(tick), frame.bottom + 14 + lower, f"{tick:.0%}", "tick", "middle")
            for tick in (0, 0.25, 0.5, 0.75, 1)
        ),
        _text(middle, frame.bottom + 32 + lower, label, "label", "middle"),
    ]


def _upwards(frame: Frame, label: str) -> list[str]:
    drawn = [_text(0, 11, label, "label", "start")]
    for step in range(STEPS + 1):
        share = frame.most * step / STEPS
        y = frame.y(share)
        if step:
            drawn.append(f'<path class="grid" d="M{frame.left} {y}H{frame.right}"/>')
        drawn.append(_text(frame.left - 6, y + 3.5, _tick(share), "tick", "end"))
    return drawn


def _tick(share: float) -> str:
    value = round(100 * share, 2)
    return f"{value:g}%"


def _text(x: float, y: float, said: str, kind: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{round(x, 1)}" y="{round(y, 1)}" '
        f'text-anchor="{anchor}">{escape(said)}</text>'
    )


def _rounded(share: float) -> float:
    """Give the next share at which a scale ends well, four steps below it."""
    return next((end for end in (0.08, 0.12, 0.2, 0.4, 0.6, 0.8) if share <= end), 1.0)


def _short(count: int) -> str:
    return f"{count / 1000:.1f}k" if count >= 1000 else str(count)
