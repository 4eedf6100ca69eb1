"""A small shop's knowledge base in three languages, which the tests of `kb` ask."""

from dataclasses import replace

import pytest

import kb
from kb.bundled import load_bundled
from kb.embed import Embedding
from models.head.trainer import SoftmaxTrainer

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
MORE = {
    ("shipping-time", "en"): ("delivery time", "how many days until it is here"),
    ("shipping-time", "es"): ("plazo de entrega",),
    ("shipping-time", "he"): ("זמן אספקה",),
    ("returns", "en"): ("give it back and get my money",),
    ("returns", "es"): ("devolver el pedido",),
    ("payment", "en"): ("do you take credit cards", "how do I pay"),
    ("warranty", "en"): ("is my coffee machine under guarantee", "it broke after a year"),
    ("opening", "en"): ("are you open on saturday", "when does the workshop close"),
    ("invoice", "es"): ("quiero descargar la factura",),
    ("account", "en"): ("erase my profile",),
}
"""Further variants: with them there are enough for a head to be trained."""


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


@pytest.fixture(scope="session")
def embedding() -> Embedding:
    """The embedding that comes with the package."""
    table = load_bundled()
    assert table is not None
    return table


@pytest.fixture(scope="session")
def wise_entries(shop_entries: list[kb.Entry]) -> list[kb.Entry]:
    """The shop's entries with more variants."""
    return [
        replace(entry, variants=(*entry.variants, *MORE.get((entry.id, entry.locale), ())))
        for entry in shop_entries
    ]


@pytest.fixture(scope="session")
def wise_bytes(wise_entries: list[kb.Entry], embedding: Embedding) -> bytes:
    """Their index with all that there is: meanings, and a trained head."""
    return kb.build_index(wise_entries, embedding=embedding, trainer=SoftmaxTrainer())


@pytest.fixture(scope="session")
def wise_index(wise_bytes: bytes, embedding: Embedding) -> kb.Index:
    """That index, loaded with its embedding."""
    return kb.load_index(wise_bytes, embedding)
