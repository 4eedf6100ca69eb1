"""How good the classifier is on families that it was not fitted on, beside the keyword rules.

Decides what is measured: accuracy, the confusion of the four labels, every DELETE that was called a
READ, and how far confidence is from the share that is right (expected calibration error, ten bins).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.commands.ensemble import Classification, classify
from core.commands.head import Head, Shares
from core.commands.labels import LABELS, Label
from models.commands.examples import Example
from models.commands.fit import fit, lessons

BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What one way of classifying made of some commands."""

    name: str
    count: int
    accuracy: float
    calibration_error: float
    confusion: Mapping[tuple[Label, Label], int]
    deletes_as_reads: Sequence[str]
    by_family: Mapping[str, tuple[int, int]]
    wrong: Sequence[tuple[str, Label, Label]]

    def document(self) -> dict[str, object]:
        """The same as JSON."""
        return {
            "name": self.name,
            "count": self.count,
            "accuracy": round(self.accuracy, 4),
            "calibration_error": round(self.calibration_error, 4),
            "deletes_as_reads": list(self.deletes_as_reads),
            "confusion": {
                label: {given: self.confusion.get((label, given), 0) for given in LABELS}
                for label in LABELS
            },
            "by_family": {
                family: {"right": right, "count": count}
                for family, (right, count) in self.by_family.items()
            },
            "wrong": [
                {"command": command, "label": label, "given": given}
                for command, label, given in self.wrong
            ],
        }


def compare(
    examples: Sequence[Example], likelihoods: Mapping[str, Shares] | None = None
) -> list[Report]:
    """Fit on the families that are not held out; report the rest by rules, head and ensemble."""
    held = [each for each in examples if each.held_out]
    head = fit(lessons((each for each in examples if not each.held_out), likelihoods))
    reports = [report("keywords", held, None), report("head", held, head)]
    if likelihoods:
        reports.append(report("ensemble", held, head, likelihoods))
    return reports


def report(
    name: str,
    examples: Sequence[Example],
    head: Head | None,
    likelihoods: Mapping[str, Shares] | None = None,
) -> Report:
    """What the head, or without one the rules, make of the examples."""
    found = [(each, classify(each.command, head, likelihoods)) for each in examples]
    rights = [each.label == made.label for each, made in found]
    families: dict[str, tuple[int, int]] = {}
    for (each, _), right in zip(found, rights, strict=True):
        before, count = families.get(each.family, (0, 0))
        families[each.family] = (before + right, count + 1)
    return Report(
        name,
        len(found),
        sum(rights) / max(1, len(rights)),
        _calibration_error([made for _, made in found], rights),
        Counter((each.label, made.label) for each, made in found),
        [e.command for e, made in found if (e.label, made.label) == ("DELETE", "READ")],
        families,
        [(e.command, e.label, made.label) for e, made in found if e.label != made.label],
    )


def _calibration_error(found: Sequence[Classification], rights: Sequence[bool]) -> float:
    sums = [[0.0, 0.0, 0.0] for _ in range(BINS)]
    for made, right in zip(found, rights, strict=True):
        own = sums[min(BINS - 1, int(made.confidence * BINS))]
        own[0] += made.confidence
        own[1] += right
        own[2] += 1
    return sum(abs(told - right) for told, right, _ in sums) / max(1, len(found))
