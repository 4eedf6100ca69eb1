"""A small shop's knowledge base in three languages, which the tests of `kb` ask."""

import pytest

import kb

ROWS = (
    ("shipping-time", "en", "How long does shipping take?", ("when will my parcel arrive",)),
    ("shipping-time", "es", "¿Cuánto tarda el envío?", ("cuándo llega mi paquete",)),
    ("shipping-time", "he", "כמה זמן לוקח המשלוח?", ("מתי החבילה תגיע",)),
    ("returns", "en", "How can I return a product?", ("I want to send something back", "refund")),
    ("returns", "es", "¿Cómo devuelvo un producto?", ("quiero un reembolso",)),
    ("payment", "en", "Which payment methods do you accept?", ("can I pay with PayPal",)),
    ("warranty", "en", "Is there a warranty on the machines?", ()),
    ("opening", "en", "What are the opening hours of the workshop?", ("when are you open",)),
    ("invoice", "es", "¿Dónde está mi factura?", ("necesito la factura en PDF",)),
    ("account", "en", "How do I delete my account?", ("close my account", "remove my data")),
)


@pytest.fixture(scope="session")
def shop_entries() -> list[kb.Entry]:
    """The shop's entries, and its own greeting."""
    greeting = kb.Entry(
        "hello", "en", "Greeting", "Welcome to the shop.", tags=("system:greeting",)
    )
    ordinary = [
        kb.Entry(name, locale, question, f"Answer to {name} in {locale}.", variants)
        for name, locale, question, variants in ROWS
    ]
    return [greeting, *ordinary]


@pytest.fixture(scope="session")
def shop_bytes(shop_entries: list[kb.Entry]) -> bytes:
    """Its index, as written."""
    return kb.build_index(shop_entries)


@pytest.fixture(scope="session")
def shop_index(shop_bytes: bytes) -> kb.Index:
    """Its index, loaded."""
    return kb.load_index(shop_bytes)
