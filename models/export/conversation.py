"""A chat template in the form in which MLC's runtimes put messages together.

They know no Jinja: a system message in its template, then each message between its role and a
separator. What stands between is found by asking the model's own template for conversations of
known messages. Decides where a separator ends and a role begins: where the text is most like the
beginning of the system message. Refuses a template that says more than this form can: what comes
out is held against the template, word for word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.decoder.template import ChatTemplate
from models.engines.protocol import Message
from models.errors import BadFile, BadRequest

_SYSTEM: Final = "{system_message}"
_WORDS: Final = ("Kestrel", "Marigold", "Obsidian", "Juniper")
"""No template has them."""

_LONGEST: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Conversation:
    """A system message that stands where none is given, and what stands around messages.

    `user` and `assistant` come before theirs, `ends` behind (a user's, an assistant's); where
    `always` is not set, an empty system message is left out with all that is around it.
    """

    before: str
    system: str
    after: str
    user: str
    assistant: str
    ends: tuple[str, str]
    always: bool

    def text(self, messages: Sequence[Message]) -> str:
        """The prompt, up to where the assistant speaks, as WebLLM puts it together."""
        system, rest = self.system, list(messages)
        if rest and rest[0].role == "system":
            system = rest.pop(0).content
        parts = [self.before + system + self.after] if system or self.always else []
        for each in rest:
            first = each.role == "user"
            role, end = (self.user, self.ends[0]) if first else (self.assistant, self.ends[1])
            parts.append(role + each.content + end)
        return "".join(parts) + self.assistant

    def document(self, stops: Sequence[int], start: int | None) -> dict[str, Any]:
        """What mlc-chat-config.json says under `conv_template`.

        `role_templates` are left out: with them WebLLM reads a visitor's `$` as a pattern.
        """
        cut = _alike(self.user[::-1], self.assistant[::-1])
        return {
            "name": "fanlight",
            "system_template": self.before + _SYSTEM + self.after,
            "system_message": self.system,
            **({} if self.always else {"render_empty_system_message": False}),
            **({} if start is None else {"system_prefix_token_ids": [start]}),
            "add_role_after_system_message": True,
            "roles": {
                "user": self.user[: len(self.user) - cut],
                "assistant": self.assistant[: len(self.assistant) - cut],
            },
            "role_content_sep": self.user[len(self.user) - cut :],
            "role_empty_sep": self.user[len(self.user) - cut :],
            "seps": list(self.ends),
            "stop_str": [],
            "stop_token_ids": list(stops),
        }


def conversation_of(template: ChatTemplate) -> Conversation:
    """What a template says, in MLC's form. Raises `BadFile` where that form cannot say it."""
    system, first, reply, second = _WORDS
    turns = [Message("user", first), Message("assistant", reply), Message("user", second)]
    whole = [Message("system", system), *turns]
    try:
        before, after, turn, back, last = _split(template.text(whole), _WORDS)
        opening, ending = _split(template.text(turns[:1]), (first,))
        at = _beginning(back, before)
        user, assistant = back[at:], turn[_beginning(turn, before) :]
        plain = opening == user
        found = Conversation(
            before=before,
            system="" if plain else opening.removeprefix(before).removesuffix(after),
            after=after.removesuffix(user),
            user=user,
            assistant=assistant,
            ends=(turn.removesuffix(assistant), back[:at]),
            always=not plain,
        )
        same = last == ending == turn and all(
            found.text(each) == template.text(each) for each in (whole, turns, whole[:2], turns[:1])
        )
    except (BadRequest, ValueError) as error:
        raise BadFile(f"Its chat template cannot be put as MLC puts messages: {error}") from error
    if not same:
        raise BadFile("Its chat template says more than MLC can say of messages: not exported.")
    return found


def _split(text: str, words: Sequence[str]) -> list[str]:
    """What stands around words. Raises `ValueError` where one is not there once, or all is long."""
    if len(text) > _LONGEST:
        raise ValueError(f"it writes {len(text)} characters around four words")
    parts, rest = [], text
    for word in words:
        before, found, rest = rest.partition(word)
        if not found or word in rest:
            raise ValueError("a message is not there once, in its place")
        parts.append(before)
    return [*parts, rest]


def _beginning(text: str, like: str) -> int:
    """Where what is most like the beginning of another text begins; the last place of several."""
    alike = [_alike(text[at : at + len(like)], like) for at in range(len(text))]
    longest = max(alike, default=0)
    return len(text) - 1 - alike[::-1].index(longest) if longest else 0


def _alike(one: str, other: str) -> int:
    """How many characters they have in common at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
