"""What the knowledge desk takes and gives, field by field. Unknown fields are refused.

Entries are checked by the very rules that rows of files are; here only their sizes are bounded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from starlette.datastructures import QueryParams

from core.encoding import b64url_decode, b64url_encode, canonical_json, timestamp
from core.knowledge import Edit, Key, entry_row
from core.workshop import Source
from gateway import problems, wire
from gateway.knowledge.draft import Action, Item
from gateway.knowledge.publishing import Building
from kb import Entry
from kb.readers.row import Row, RowError, checked_entry, checked_link
from kb.readers.web_page import is_address

BODY_BYTES = 512 * 1024
"""An entry with all its phrasings, in any script."""
IMPORT_BYTES = 8 * 1024 * 1024
IMPORT_CHARACTERS = 4_000_000
"""A file of some ten thousand entries."""
IMPORT_IN_PARTS = "Import the file in parts."
SOURCE = "console"

Text = Annotated[str, StringConstraints(max_length=2_000)]
Answer = Annotated[str, StringConstraints(max_length=32_000)]
Tag = Annotated[str, StringConstraints(max_length=100)]
Day = Annotated[str, StringConstraints(max_length=40)]
EntryId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class LinkBody(wire.Body):
    """A titled address."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"\S")]
    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class EntryBody(wire.Body):
    """What an entry says."""

    question: Text
    answer: Answer
    variants: Annotated[list[Text], Field(max_length=500)] = Field(default_factory=list)
    links: Annotated[list[LinkBody], Field(max_length=50)] = Field(default_factory=list)
    tags: Annotated[list[Tag], Field(max_length=100)] = Field(default_factory=list)
    escalate: bool = False
    valid_from: Day | None = None
    valid_until: Day | None = None

    def entry(self, entry_id: str, locale: str, was: Entry | None = None) -> Entry:
        """The entry; without an id it gets one of its question's words. Raises `Problem`.

        Days that are not sent stay as they were.
        """
        days = (was.valid_from, was.valid_until) if was else ("", "")
        row = Row(
            SOURCE,
            0,
            id=entry_id,
            locale=locale,
            question=self.question,
            answer=self.answer,
            variants=tuple(self.variants),
            tags=tuple(self.tags),
            escalate="always" if self.escalate else "",
            valid_from=days[0] if self.valid_from is None else self.valid_from,
            valid_until=days[1] if self.valid_until is None else self.valid_until,
        )
        try:
            links = (checked_link(link.title, link.url.strip()) for link in self.links)
            return replace(checked_entry(row), links=tuple(dict.fromkeys(links)))
        except RowError as error:
            raise problems.invalid(error.field, f"It is refused: {error}.") from error


class EditBody(EntryBody):
    """`PUT /v1/knowledge/<site>/entries/<id>/<locale>`; `based_on` is the `number` it had."""

    based_on: Annotated[int, Field(ge=0), wire.Integral] | None = None


class NewEntryBody(EntryBody):
    """`POST /v1/knowledge/<site>/entries`; an `id` makes it a translation of that entry."""

    locale: wire.Locale
    id: EntryId | None = None


class TryBody(wire.Body):
    """`POST /v1/knowledge/<site>/try`; `draft` asks what is not live yet."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=8_000, pattern=r"\S")]
    locale: wire.Locale | None = None
    draft: bool = False


class MarkBody(wire.Body):
    """`POST /v1/knowledge/<site>/marks`; without an entry the site has no answer, and need not."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"\w")]
    entry_id: EntryId | None


class PriorBody(wire.Body):
    """`PUT /v1/knowledge/<site>/prior`."""

    out_of_scope: Annotated[float, Field(ge=0, le=0.95, allow_inf_nan=False)]


class ImportBody(wire.Body):
    """`POST /v1/knowledge/<site>/imports`: an address, or the content of a file with its name."""

    url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    content: Annotated[str, StringConstraints(max_length=IMPORT_CHARACTERS)] | None = None

    def source(self) -> Source:
        """What is imported; raises `Problem`."""
        if self.url is not None and (self.name is not None or self.content is not None):
            remedy = "Send an address, or a name and its content."
            raise problems.invalid("url", "Both an address and a content were sent.", remedy)
        if self.url is not None:
            if not is_address(self.url):
                remedy = "Send an address that begins with http:// or https://."
                raise problems.invalid("url", "This is no address of a page.", remedy)
            return Source(self.url)
        for field, value in (("name", self.name), ("content", self.content)):
            if value is None:
                remedy = "Send an address as `url`, or `name` and `content` of a file."
                raise problems.invalid(field, "There is nothing to import.", remedy)
        return Source(str(self.name), self.content)


class MissedQuery(wire.Body):
    """`GET /v1/knowledge/<site>/unanswered?…`."""

    days: Annotated[int, Field(strict=False, ge=1, le=365)] = 30


class EntriesQuery(wire.Body):
    """`GET /v1/knowledge/<site>/entries?…`: a page of the list, by id and locale."""

    q: Annotated[str, StringConstraints(max_length=200)] = ""
    locale: Annotated[str, StringConstraints(max_length=35)] = ""
    state: Literal["", "all", "live", "changed", "new", "removed", "unpublished"] = ""
    after: Annotated[str, StringConstraints(max_length=600)] = ""
    # A query has no numbers, only digits.
    limit: Annotated[int, Field(strict=False, ge=1, le=200)] = 50

    def beyond(self) -> Key | None:
        """The entry after which the page begins; raises `Problem`."""
        if not self.after:
            return None
        try:
            entry_id, locale = json.loads(b64url_decode(self.after))
            return str(entry_id), str(locale)
        except (ValueError, TypeError) as error:
            remedy = "Use the `next` of the page before."
            raise problems.invalid("after", "This is no page's end.", remedy) from error


def entries_query(query: QueryParams) -> EntriesQuery:
    """The checked query; raises `Problem` naming the parameter that is wrong."""
    return wire.parse(EntriesQuery, canonical_json(dict(query)))


def missed_query(query: QueryParams) -> MissedQuery:
    """The checked query; raises `Problem` naming the parameter that is wrong."""
    return wire.parse(MissedQuery, canonical_json(dict(query)))


def cursor(entry: Entry) -> str:
    """Where a page ends that ends with this entry."""
    return b64url_encode(json.dumps([entry.id, entry.locale]).encode())


def fields(entry: Entry) -> dict[str, Any]:
    """What an entry says, as the console reads it."""
    row = entry_row(entry)
    del row["id"], row["locale"]
    return row


def entry_document(item: Item) -> dict[str, Any]:
    """An entry as the console reads it."""
    edit = item.edit
    return {
        **entry_row(item.entry),
        "origin": "console" if edit is not None and edit.kind == "set" else "file",
        "state": item.state,
        "author": edit.author if edit else None,
        "at": timestamp(edit.at) if edit else None,
        "number": item.number,
    }


def history_document(history: Sequence[tuple[Edit, Action]]) -> list[dict[str, Any]]:
    """What was done to an entry, newest first, each with the words that it wrote, if it did."""
    return [
        {
            "at": timestamp(edit.at),
            "author": edit.author,
            "action": action,
            "entry": None if edit.entry is None else fields(edit.entry),
        }
        for edit, action in history
    ]


def building_document(building: Building | None) -> dict[str, Any] | None:
    """How far a build is."""
    return None if building is None else {"step": building.step, "share": building.share}
