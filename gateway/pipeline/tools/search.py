"""`kb.search`: one more search of the site's own knowledge base, in other words than the visitor's.

Decides that a model refines a search once a turn: what it does not find then, a person knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.prompting.quoting import entry_text
from gateway.pipeline.tools.tool import Context

NAME: Final = "kb.search"
MOST_RESULTS: Final = 8
RESULTS: Final = 4
_TEXT: Final = {"type": "string"}


class KnowledgeSearch:
    """Searches the index that the turn was begun with."""

    name = NAME
    most_a_turn = 1
    description = (
        "Search the site's knowledge base once more, in words of your own, where the passages do "
        "not hold the answer. It can be used once."
    )
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "description": "What to look for: a short question, or its key words.",
                "minLength": 1,
                "maxLength": 400,
            },
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_RESULTS},
        },
        "required": ["query"],
    }
    returns: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "results": {
                "type": "array",
                "maxItems": MOST_RESULTS,
                "items": {
                    "type": "object",
                    "properties": {"id": _TEXT, "text": _TEXT},
                    "required": ["id", "text"],
                },
            }
        },
        "required": ["results"],
    }

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        """The entries that fit best, best first; those that are not known to the turn are cited."""
        found = context.index.search(
            arguments["query"],
            locale=context.locale,
            limit=arguments.get("limit", RESULTS),
            today=context.today,
        )
        context.hits.extend(found)
        return {"results": [{"id": hit.entry.id, "text": entry_text(hit.entry)} for hit in found]}
