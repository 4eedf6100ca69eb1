"""What the console may send, checked field by field. Unknown fields and parameters are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.datastructures import QueryParams

from core.encoding import canonical_json
from gateway import wire


class LogInBody(wire.Body):
    """`POST /v1/operator/session`."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class ReplyBody(wire.Body):
    """`POST /v1/escalations/<id>/replies`; `content` is Markdown and not only white space."""

    content: Annotated[
        str, StringConstraints(min_length=1, max_length=wire.MAX_CONTENT, pattern=r"\S")
    ]
    resolve: bool = False


class ListingQuery(wire.Body):
    """`GET /v1/escalations?…`: a page of the list, newest first."""

    status: Literal["open", "resolved", "all"] = "open"
    before: Annotated[str, StringConstraints(pattern=r"^e_[0-9a-f]{32}$")] | None = None
    # A query has no numbers, only digits.
    limit: Annotated[int, Field(strict=False, ge=1, le=100)] = 50


def listing(query: QueryParams) -> ListingQuery:
    """The checked query; raises `Problem` naming the parameter that is wrong."""
    return wire.parse(ListingQuery, canonical_json(dict(query)))
