"""Chat templates in MLC's form: the same prompts, or a refusal."""

from typing import Any

import pytest

from models.decoder.template import ChatTemplate
from models.engines.protocol import Message
from models.errors import BadFile
from models.export.conversation import conversation_of
from tests.models.export.templates import DEFAULTED, LLAMA_3, PLAIN, ZEPHYR

TALK = [
    Message("system", "Answer in one word."),
    Message("user", "Hello <b>you</b>, it costs $& 5!"),
    Message("assistant", "שלום"),
    Message("user", "¿Y ahora?\nPlease."),
]


def put_together(said: dict[str, Any], messages: list[Message]) -> str:
    """A prompt as WebLLM 0.2.86 makes one of `conv_template`."""
    system, rest = said["system_message"], messages
    if messages[0].role == "system":
        system, rest = messages[0].content, messages[1:]
    prompt = ""
    if system or said.get("render_empty_system_message", True):
        prompt = said["system_template"].replace("{system_message}", system)
    for at, each in enumerate(rest):
        prompt += said["roles"][each.role] + said["role_content_sep"] + each.content
        prompt += said["seps"][at % len(said["seps"])]
    return prompt + str(said["roles"]["assistant"] + said["role_empty_sep"])


@pytest.mark.parametrize("source", [PLAIN, DEFAULTED, LLAMA_3, ZEPHYR])
@pytest.mark.parametrize("messages", [TALK, TALK[1:], TALK[:2], TALK[1:2]])
def test_prompts_are_the_templates_own(source: str, messages: list[Message]) -> None:
    template = ChatTemplate(source)
    said = conversation_of(template).document([2], None)
    assert put_together(said, messages) == template.text(messages)


def test_what_is_said_is_what_mlc_says_of_chatml() -> None:
    assert conversation_of(ChatTemplate(DEFAULTED)).document([0, 2], 1) == {
        "name": "fanlight",
        "system_template": "<|im_start|>system\n{system_message}<|im_end|>\n",
        "system_message": "Be kind.",
        "system_prefix_token_ids": [1],
        "add_role_after_system_message": True,
        "roles": {"user": "<|im_start|>user", "assistant": "<|im_start|>assistant"},
        "role_content_sep": "\n",
        "role_empty_sep": "\n",
        "seps": ["<|im_end|>\n", "<|im_end|>\n"],
        "stop_str": [],
        "stop_token_ids": [0, 2],
    }


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("always this", "not there once"),
        ("{% for m in messages %}{{ m.content + m.content }}{% endfor %}", "not there once"),
        (PLAIN + "<think>", "says more than MLC can say"),
        ("{{ messages | length }}" + PLAIN, "says more than MLC can say"),
        (PLAIN.replace("message.role", "message.role | upper"), "says more than MLC can say"),
        ("{{ raise_exception('no system here') }}", "no system here"),
        ("{{ 'x' * 20000 }}" + PLAIN, "characters around four words"),
    ],
)
def test_a_template_that_says_more_is_refused(source: str, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        conversation_of(ChatTemplate(source))
