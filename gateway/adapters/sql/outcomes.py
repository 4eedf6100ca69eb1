"""Outcomes of idempotent calls that are not given again, and their end.

It decides how many go in one transaction, so that no call waits long for it.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from core.truth import FINISHED_KEPT_S
from gateway.adapters.sql import tables

DROPPED_AT_ONCE = 5000
"""So many take no longer than a call may, however many there are."""

_finished = tables.finished_calls.c

_SOME_OLD = (
    select(_finished.site, _finished.subject, _finished.key)
    .where(_finished.at < bindparam("before"))
    .order_by(_finished.at)
    .limit(bindparam("limit"))
)
_DROP_SOME = delete(tables.finished_calls).where(
    tuple_(_finished.site, _finished.subject, _finished.key).in_(_SOME_OLD)
)


def drop_finished(connection: Connection, now: float) -> bool:
    """Drop outcomes of idempotent calls that are not given again; whether more may be left."""
    asked = {"before": now - FINISHED_KEPT_S, "limit": DROPPED_AT_ONCE}
    return connection.execute(_DROP_SOME, asked).rowcount >= DROPPED_AT_ONCE
