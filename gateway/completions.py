"""OpenAI's chat dialect as a site's own server speaks it to the gateway: the messages of it.

Decides what a conversation in that dialect is to Fanlight: the last message is the question, those
before it are what was said. It refuses instructions (`system`, `developer`), because what a model
is told are this gateway's templates; and what is not built: tools, several answers at once,
pictures. A parameter that changes nothing here is taken at its default only.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

from core.messages import ChatRequest, MemoryTurn, Turn
from core.redact import redact_secrets
from gateway import problems
from gateway.pipeline.answer import Answered
from gateway.wire import MAX_CONTENT, Body, Content, Integral

MODEL: Final = "fanlight"
"""What the gateway answers as, whoever writes behind it."""

MAX_MESSAGES: Final = 100
_PIECE: Final = 80
"""Characters of a chunk: words come once they are judged, so nothing is gained by smaller ones."""


class PartBody(Body):
    """A part of a message: text."""

    type: Literal["text"]
    text: Content


class MessageBody(Body):
    """One message; `name` is only a label."""

    role: Literal["user", "assistant"]
    content: Content | Annotated[list[PartBody], Field(max_length=20)]
    name: str | None = None

    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class StreamOptionsBody(Body):
    """What a stream ends with."""

    include_usage: bool = False


Tokens = Annotated[int, Integral, Field(ge=1, le=32_768)]


class CompletionBody(Body):
    """`POST /v1/chat/completions`; `locale` is Fanlight's own.

    `model` is `fanlight`, or a model of the settings where the key may name one.
    """

    model_config = ConfigDict(protected_namespaces=())

    model: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool = False
    stream_options: StreamOptionsBody | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    user: Annotated[str, StringConstraints(max_length=200)] | None = None
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = None
    n: Literal[1] | None = None

    def value(self, locale: str, most: int, nameable: Collection[str] = ()) -> ChatRequest:
        """The checked question, without cards and secrets; raises `Problem`.

        `nameable` are the models that may be named beside `fanlight`.
        """
        if self.model != MODEL and self.model not in nameable:
            known = ", ".join((MODEL, *nameable))
            raise problems.invalid("model", "This key may not name that model.", f"Send {known}.")
        *before, last = self.messages
        question = last.text()
        where = f"messages.{len(before)}"
        if last.role != "user":
            raise problems.invalid(f"{where}.role", "The last message is the user's question.")
        if not question.strip() or len(question) > MAX_CONTENT:
            raise problems.invalid(
                f"{where}.content", f"A question has 1 to {MAX_CONTENT} letters."
            )
        said = tuple(MemoryTurn(each.role, redact_secrets(each.text())) for each in before)
        return ChatRequest(
            turn_id=f"t_{uuid.uuid4().hex}",
            conversation_id=f"c_{uuid.uuid4().hex}",
            question=redact_secrets(question),
            locale=self.locale or locale,
            question_locale=None,
            training_memory=said,
            gate=None,
            stream=self.stream,
            max_tokens=self.max_completion_tokens or self.max_tokens or most,
            model=None if self.model == MODEL else self.model,
        )


def completion(answered: Answered, created: int) -> dict[str, Any]:
    """The whole answer."""
    turn = answered.turn
    message = {"role": "assistant", "content": shown(answered), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        **_head(turn, "chat.completion", created),
        "choices": [choice],
        "usage": _usage(turn),
        "fanlight": judged(answered),
    }


def chunks(answered: Answered, created: int, *, usage: bool) -> Iterator[bytes]:
    """The same as a stream's events; what was judged comes with the last words."""
    head = _head(answered.turn, "chat.completion.chunk", created)
    text = shown(answered)
    yield _event({**head, "choices": [_delta({"role": "assistant", "content": ""})]})
    for at in range(0, len(text), _PIECE):
        yield _event({**head, "choices": [_delta({"content": text[at : at + _PIECE]})]})
    last = {**_delta({}), "finish_reason": "stop"}
    yield _event({**head, "choices": [last], "fanlight": judged(answered)})
    if usage:
        yield _event({**head, "choices": [], "usage": _usage(answered.turn)})
    yield b"data: [DONE]\n\n"


def shown(answered: Answered) -> str:
    """What a visitor would read: the reply where it is trusted, else the fallback."""
    turn = answered.turn
    trusted = turn.reply and (not turn.escalate or turn.source == "kb")
    return turn.reply if trusted else answered.fallback_text


def judged(answered: Answered) -> dict[str, Any]:
    """What the dialect has no words for."""
    turn = answered.turn
    return {
        "confidence": turn.confidence,
        "escalate": turn.escalate,
        "reasons": list(turn.reasons),
        "source": turn.source,
        "model": turn.model,
        "citations": [{"title": each.title, "url": each.url} for each in turn.citations],
        "choices": [
            {"entry_id": each.entry_id, "question": each.question} for each in turn.choices
        ],
        "reasoning": turn.reasoning,
    }


def _head(turn: Turn, kind: str, created: int) -> dict[str, Any]:
    return {"id": turn.id, "object": kind, "created": created, "model": MODEL}


def _delta(delta: dict[str, str]) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": None}


def _usage(turn: Turn) -> dict[str, int]:
    prompt = turn.usage.prompt_tokens if turn.usage else 0
    written = turn.usage.completion_tokens if turn.usage else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
