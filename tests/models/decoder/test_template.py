"""Templates of models, which are programs of strangers."""

import pytest

from models.decoder import template
from models.decoder.template import ChatTemplate
from models.engines.protocol import Message
from models.errors import BadFile, BadRequest

HI = (Message("user", "Hi <b>"),)


def test_a_template_gives_the_text_up_to_where_the_assistant_speaks() -> None:
    source = (
        "{% for m in messages %}\n{{ m['role'] }}: {{ m.content }}\n{% endfor %}{{ bos_token }}A:"
    )
    assert ChatTemplate(source).text(HI) == "user: Hi <b>\nA:"


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('roles must alternate') }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ messages.append(1) }}",
        "{{ nothing }}",
        "{{ 1 / 0 }}",
        "{% for x in range(10000000) %}x{% endfor %}",
    ],
)
def test_what_a_template_may_not_do_is_refused(source: str) -> None:
    with pytest.raises(BadRequest, match="template takes no such messages"):
        ChatTemplate(source).text(HI)


def test_a_template_that_goes_on_and_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "LONGEST", 1_000)
    with pytest.raises(BadRequest, match="too long for any context"):
        ChatTemplate("{% for x in range(99999) %}{{ x }}{% endfor %}").text(HI)


def test_what_is_no_template_is_refused() -> None:
    with pytest.raises(BadFile, match="chat template is not one"):
        ChatTemplate("{% for %}")
