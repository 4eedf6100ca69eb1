"""What of an answer to one visitor may reach another."""

import pytest

from core.particulars import figures, shareable

PLAIN = "Parcels to the islands take five days."


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (PLAIN, PLAIN),
        (f"Hi Dana,\n{PLAIN}", PLAIN),
        (f"Hola, Dana. {PLAIN}", PLAIN),
        (f"Hello, Dana Levy! {PLAIN}", PLAIN),
        (f"Hello, {PLAIN}", PLAIN),
        (f"שלום דנה, {PLAIN}", PLAIN),
        (f"Hello! {PLAIN}", PLAIN),
        ("Hidden fees there are none.", "Hidden fees there are none."),
        ("Write to help@shop.example for that.", "Write to [email] for that."),
        ("We ship within 30 days.", "We ship within 30 days."),
        (f"Hi Dana,\nLet me look.\n\nHi Dana, {PLAIN}", f"Let me look.\n\n{PLAIN}"),
    ],
)
def test_what_is_about_nobody_is_kept_without_greeting_and_contact(answer: str, kept: str) -> None:
    assert shareable(answer, ["Do you ship within 30 days?"]) == kept


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Your order 48213 left today.", "Where is order 48213?"),
        ("Your order A-77x left today.", "Where is a-77X?"),
        ("We paid 1,250.50 back to you.", "I paid 1,250.50 for it"),
        ("I told Dana that it is on its way.", "My name is Dana"),
        ("Le dije a Marta que viene mañana.", "me llamo marta y espero"),
        ("אמרתי לדנה שזה יגיע מחר.", "קוראים לי דנה"),
        ("I told Levy that it is on its way.", "Hi, I'm Dana Levy"),
        ("Miriam will get it on Monday.", "Where is my parcel?\nThanks,\nMiriam"),
        ("Hi Dana, it is on its way, Dana, for sure.", "Where is it?"),
        ("Yes.", "Is it on its way?"),
        ("Hi Dana!", ""),
    ],
)
def test_what_repeats_a_particular_of_its_visitor_reaches_nobody(answer: str, said: str) -> None:
    assert shareable(answer, [said]) is None


@pytest.mark.parametrize(
    "answer",
    [
        "Your order 88812 arrives on Friday, Dana.",
        "Your parcel 4471-XK waits in Haifa, at the gate.",
        "It was paid from the account ending 9917.",
        "Your flat is A7 on the left.",
        "You were born on 12/05/87, it says.",
        "We call you at 03 12 45 today.",
        "Call １２３４ for the parcel, please.",
        "The amount is 1,250 in all.",
    ],
)
def test_a_figure_that_the_site_does_not_publish_reaches_nobody(answer: str) -> None:
    assert shareable(answer, ["Where is it?"]) is None
    assert shareable(answer, [], frozenset(figures(answer))) == answer


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20, 30 or 40 days", []),
        ("It costs 1,250.50 or 99", ["125050"]),
        ("We are open 24/7.", ["247"]),
        ("Bring form B-12, not 12.", ["b-12"]),
        ("4471-XK", ["4471", "4471-xk"]),
        ("", []),
    ],
)
def test_figures_are_long_numbers_and_codes(text: str, found: list[str]) -> None:
    assert list(figures(text)) == found


def test_a_figure_that_the_site_publishes_is_lent() -> None:
    published = frozenset(figures("It costs **1,250** a year."))
    assert shareable("It is 1250 a year.", ["How much?"], published) == "It is 1250 a year."


def test_every_line_of_the_visitor_counts() -> None:
    assert shareable("Order 48213 left today.", ["Where is it?", "It is 48213"]) is None


def test_the_work_grows_with_the_text_and_no_faster() -> None:
    long = "Hi " + "a " * 50_000 + "I am " * 20_000
    assert shareable(long, [long]) is not None
    assert shareable("\n" * 100_000 + "1 " * 50_000 + "a1" * 50_000, [long]) is None
