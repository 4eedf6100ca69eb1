"""What the console may send, checked field by field. Unknown fields and parameters are refused."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints
from starlette.datastructures import QueryParams

from core.encoding import canonical_json
from gateway import problems, wire


class LogInBody(wire.Body):
    """`POST /v1/operator/session`."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=512)]


_STAYS_OPEN: Final[dict[str, JsonValue]] = {"properties": {"resolve": {"const": False}}}
_SAYS_WHAT_WAS_SEEN: Final[dict[str, JsonValue]] = {
    "required": ["seen"],
    "properties": {"seen": {"type": "integer"}},
}

Seen = Annotated[int, Field(ge=1, le=1_000_000), wire.Integral]


class ReplyBody(wire.Body):
    """`POST /v1/escalations/<id>/replies`; `content` is Markdown and not only white space.

    `seen` is how many of the escalation's turns the operator had before them: itself and `added`.
    """

    model_config = ConfigDict(json_schema_extra={"anyOf": [_STAYS_OPEN, _SAYS_WHAT_WAS_SEEN]})

    content: Annotated[
        str, StringConstraints(min_length=1, max_length=wire.MAX_CONTENT, pattern=r"\S")
    ]
    resolve: bool = False
    seen: Seen | None = None

    def check(self) -> None:
        """Raise `Problem` where it resolves without saying what was seen."""
        if self.resolve and self.seen is None:
            raise problems.invalid(
                "seen",
                "A reply that resolves says how many turns its writer had before them.",
                "Send 1 and one more for each turn in `added`.",
            )


class ResolveBody(wire.Body):
    """`POST /v1/escalations/<id>/resolve`; `seen` as in a reply."""

    seen: Seen


class ListingQuery(wire.Body):
    """`GET /v1/escalations?…`: a page of the list, newest first."""

    status: Literal["open", "resolved", "all"] = "open"
    before: Annotated[str, StringConstraints(pattern=r"^e_[0-9a-f]{32}$")] | None = None
    # A query has no numbers, only digits.
    limit: Annotated[int, Field(strict=False, ge=1, le=100)] = 50


def listing(query: QueryParams) -> ListingQuery:
    """The checked query; raises `Problem` naming the parameter that is wrong."""
    return wire.parse(ListingQuery, canonical_json(dict(query)))
