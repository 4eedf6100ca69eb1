"""What may be asked, in OpenAI's dialect, and what engines make of it.

Decides what is understood. A field that would change the reply and that no engine here honours is
refused by its name, rather than passed over; what only labels a request is taken and dropped.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.ports import Purpose
from models.engines.protocol import Call, Message, Sampling
from models.server.problems import Refusal

MAX_TOKENS: Final = 512
"""Where a request does not say."""

MOST_STOPS: Final = 4
MOST_LIKELIEST: Final = 20
MOST_LIKELIEST_OF_TEXT: Final = 5

MOST_ADAPTERS: Final = 8

MOST_TEXTS: Final = 2_048
"""Of one request for embeddings, as OpenAI has it."""

type Weight = Annotated[float, Field(ge=-8, le=8, allow_inf_nan=False)]
type Stop = Annotated[str, Field(min_length=1, max_length=200)]


class Part(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A message as OpenAI's clients send it."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]
    name: str | None = None

    def message(self) -> Message:
        """The same for an engine; "developer" is the newer name of "system"."""
        text = (
            self.content
            if isinstance(self.content, str)
            else "".join(part.text for part in self.content)
        )
        return Message("system" if self.role == "developer" else self.role, text)


class StreamOptions(BaseModel):
    """What a stream says beside the reply."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False
    include_obfuscation: bool = False


class TextFormat(BaseModel):
    """The only form in which replies come."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]


class Asked(BaseModel):
    """What both kinds of request have in common."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=200)
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    adapters: Annotated[dict[str, Weight], Field(max_length=MOST_ADAPTERS)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    n: Literal[1] | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    def sampling(self, max_tokens: int, logprobs: int | None, temperature: float) -> Sampling:
        """How tokens are chosen; `temperature` holds where the request does not say."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            max_tokens=max_tokens,
            temperature=temperature if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=stop,
            presence_penalty=self.presence_penalty or 0.0,
            frequency_penalty=self.frequency_penalty or 0.0,
            logprobs=logprobs,
            top_k=self.top_k or 0,
            repetition_penalty=self.repetition_penalty or 1.0,
        )

    def adapted(self) -> tuple[tuple[str, float], ...]:
        """The adapters of the call, each with its weight."""
        return tuple((self.adapters or {}).items())

    @property
    def usage_wanted(self) -> bool:
        """Whether a stream ends with what was used."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ChatAsked(Asked):
    """`POST /v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=1_000)
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Field(ge=0, le=MOST_LIKELIEST)] | None = None
    response_format: TextFormat | None = None
    metadata: dict[str, str] | None = None
    store: Literal[False] | None = None

    def call(self, temperature: float, timeout_s: float) -> Call:
        """The same for an engine. Raises `Refusal`."""
        if self.top_logprobs is not None and not self.logprobs:
            raise Refusal(400, "top_logprobs needs logprobs: true.", param="top_logprobs")
        logprobs = (self.top_logprobs or 0) if self.logprobs else None
        most = self.max_completion_tokens or self.max_tokens or MAX_TOKENS
        messages = tuple(each.message() for each in self.messages)
        sampling = self.sampling(most, logprobs, temperature)
        return Call(messages, sampling, timeout_s, self.adapted())


class TextAsked(Asked):
    """`POST /v1/completions`."""

    prompt: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=1)]
    )
    logprobs: Annotated[int, Field(ge=0, le=MOST_LIKELIEST_OF_TEXT)] | None = None
    best_of: Literal[1] | None = None
    echo: Literal[False] | None = None
    suffix: None = None

    def call(self, temperature: float, timeout_s: float) -> Call:
        """The same for an engine."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        sampling = self.sampling(self.max_tokens or MAX_TOKENS, self.logprobs, temperature)
        return Call(prompt, sampling, timeout_s, self.adapted())


def _many(given: object) -> object:
    """One text is a list of one."""
    return [given] if isinstance(given, str) else given


class EmbedAsked(BaseModel):
    """`POST /v1/embeddings`. `input_type` is what the texts are for, as other servers have it."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(min_length=1, max_length=200)
    input: Annotated[
        list[object], Field(min_length=1, max_length=MOST_TEXTS), BeforeValidator(_many)
    ]
    input_type: Purpose = "query"
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None

    def texts(self) -> list[str]:
        """The texts. Raises `Refusal` for tokens, and for a text that is empty."""
        texts = [each for each in self.input if isinstance(each, str)]
        if len(texts) != len(self.input):
            raise Refusal(
                400, "input: send text. The numbers of tokens are each model's own.", param="input"
            )
        if not all(each.strip() for each in texts):
            raise Refusal(400, "input: a text is empty.", param="input")
        return texts


def read[A: BaseModel](kind: type[A], body: bytes) -> A:
    """The request in a body. Raises `Refusal` with the field that is wrong."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        # Not what was given: it may be a visitor's words.
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(each) for each in found["loc"])
    if found["type"] == "json_invalid":
        raise Refusal(400, "The body is not JSON.")
    if found["type"] == "extra_forbidden":
        raise Refusal(400, f"{place} is not supported here. Leave it out.", param=place)
    raise Refusal(400, f"{place or 'The body'}: {found['msg']}.", param=place or None)
