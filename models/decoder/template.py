"""Messages to text by a model's own chat template, in Jinja's sandbox.

A template is a stranger's program: it may read the messages and nothing else, and what it gives is
no longer than `LONGEST`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.engines.protocol import Message
from models.errors import BadFile, BadRequest

LONGEST: Final = 4 << 20
"""Characters; no context holds so many."""


class ChatTemplate:
    """A template that has been compiled. Raises `BadFile` where it cannot be."""

    def __init__(self, source: str) -> None:
        # The settings under which Hugging Face's templates are written.
        sandbox = ImmutableSandboxedEnvironment(
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            autoescape=False,
        )
        sandbox.globals["raise_exception"] = _refuse
        try:
            self._template = sandbox.from_string(source)
        except TemplateError as error:
            raise BadFile(f"Its chat template is not one: {error}.") from error

    def text(self, messages: Sequence[Message]) -> str:
        """The prompt, up to where the assistant speaks. Raises `BadRequest`."""
        rows = [{"role": each.role, "content": each.content} for each in messages]
        pieces, length = [], 0
        try:
            for piece in self._template.generate(
                messages=rows, add_generation_prompt=True, bos_token="", eos_token=""
            ):
                pieces.append(piece)
                length += len(piece)
                if length > LONGEST:
                    raise BadRequest("The messages are too long for any context.", "messages")
        except (TemplateError, TypeError, ArithmeticError, LookupError) as error:
            raise BadRequest(f"The model's template takes no such messages: {error}") from error
        return "".join(pieces)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)
