import pytest

from kb.language import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("where is my order", "en"),
        ("dónde está mi pedido", "es"),
        ("devolución", "es"),
        ("איפה ההזמנה שלי", "he"),
        ("ההזמנה של iPhone", "he"),
        ("iPhone 15 עלה", "he"),
        ("iPhone 15", None),
        ("", None),
        ("🙂", None),
    ],
)
def test_a_language_is_told_or_not(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["where is my order", "dónde está mi pedido", "איפה ההזמנה שלי"])
def test_invisible_characters_do_not_hide_a_language(text: str) -> None:
    assert detect_language("\u200b".join(text)) == detect_language(text)


def test_an_accent_written_apart_still_tells() -> None:
    assert detect_language("man\u0303ana") == "es"
