"""What an owner is told of days."""

import pytest

import kb
from kb.check import check
from kb.dated import dated
from kb.slots import Slots

TODAY = "2026-12-10"
OPEN = kb.Entry("open", "en", "When are you open?", "We are open {{hours}}, {{hours}}.")


def hours(valid_from: str = "", valid_until: str = "", locale: str = "en") -> kb.Entry:
    return kb.Entry(
        f"hours{valid_from}{valid_until}", locale, "hours", "9 to 17", tags=("slot:hours",),
        valid_from=valid_from, valid_until=valid_until,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [
        ([hours()], []),
        ([hours(valid_from="2026-12-10")], []),
        ([], ["unknown_slot"]),
        ([hours(locale="es")], ["empty_slot"]),
        ([hours(valid_from="2026-12-11")], ["empty_slot"]),
        ([hours(valid_until="2026-12-20")], ["ending"]),
        ([hours(valid_until="2026-12-20"), hours(valid_from="2026-12-21")], []),
        ([hours(valid_until="2026-12-30")], []),
    ],
)
def test_a_slot_has_a_text_today_and_soon(texts: list[kb.Entry], kinds: list[str]) -> None:
    findings = list(dated([OPEN], Slots(texts), TODAY))
    assert [finding.kind for finding in findings] == kinds
    for finding in findings:
        assert "{{hours}}" in finding.why
        assert "slot:hours" in finding.remedy


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "kinds"),
    [
        ("", "", []),
        ("", "2026-12-09", ["ended"]),
        ("", "2026-12-10", ["ending"]),
        ("2026-12-01", "2026-12-24", []),
        ("2026-12-01", "2026-12-23", ["ending"]),
        ("2027-01-01", "2027-01-02", []),
    ],
)
def test_an_entry_whose_days_are_over_is_named(
    valid_from: str, valid_until: str, kinds: list[str]
) -> None:
    entry = kb.Entry("a", "en", "Q", "A", valid_from=valid_from, valid_until=valid_until)
    assert [finding.kind for finding in dated([entry], Slots(()), TODAY)] == kinds


def test_a_check_looks_at_days_when_it_is_told_one() -> None:
    index = kb.load_index(kb.build_index([OPEN, hours(valid_until="2026-12-09")]))
    kinds = [
        {finding.kind for finding in check(index, threshold=0.55, today=day).findings}
        for day in (None, TODAY)
    ]
    assert "empty_slot" not in kinds[0]
    assert "empty_slot" in kinds[1]
