"""Topics of risk: what touches them in three languages, and what does not."""

import pytest

from core.risk import FILE, BadTopics, Topics, read_topics
from scripts.stage_worker import ROOT

TOPICS = read_topics((ROOT / "core" / FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("What dosage of ibuprofen may a child take?", ("medical",)),
        ("¿Qué dosis de ibuprofeno puede tomar un niño?", ("medical",)),
        ("מה המינון של איבופרופן לילד?", ("medical",)),
        ("I am going to SUE you", ("legal",)),
        ("Mi abogada os escribirá", ("legal",)),
        ("עורך הדין שלי יפנה אליכם", ("legal",)),
        ("Should I refinance my mortgage?", ("financial",)),
        ("¿Me conviene pedir un préstamo?", ("financial",)),
        ("כדאי לי לקחת משכנתא?", ("financial",)),
        ("The charger caught fire", ("safety",)),
        ("La batería echa humo", ("safety",)),
        ("יש ריח של גז מהמכשיר", ("safety",)),
        ("Somebody hacked my account", ("security",)),
        ("Me robaron la tarjeta", ("security",)),
        ("גנבו לי את הכרטיס", ("security",)),
        ("I got hacked and will sue", ("legal", "security")),
        ("How do I return a parcel?", ()),
        ("Is it in stock, and is shipping free?", ()),
        ("¿Puedo pagar con tarjeta?", ()),
        ("איך מבטלים הזמנה?", ()),
        ("", ()),
        ("\ud800 ?!", ()),
    ],
)
def test_the_topics_that_a_question_touches(text: str, topics: tuple[str, ...]) -> None:
    assert TOPICS.found(text) == topics


def test_a_phrase_counts_only_as_a_whole() -> None:
    topics = Topics({"medical": ["chest pain"]})
    assert topics.found("pain in the chest of drawers") == ()
    assert topics.found("I have chest pains") == ("medical",)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"a": 3}', '{"a": {"en": [3]}}', '{"a": {"en": ["?!"]}}', '{"a": {"en": 1}}'],
)
def test_data_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadTopics, match="topics of risk"):
        read_topics(text)
