"""No error of a driver leaves the store unmapped."""

import inspect
import sqlite3

import asyncpg
import pytest
from sqlalchemy import exc as sa

from core.errors import Conflict, FanlightError, NotFound, Unavailable
from gateway.adapters.sql import postgres
from gateway.adapters.sql.errors import as_core, mapped

SECRET = "the visitor's words"


def driver_errors() -> list[Exception]:
    """One of every class that SQLAlchemy, sqlite3 and a binding may raise."""
    found: list[Exception] = [
        OSError("disk"),
        TimeoutError(),
        OverflowError(SECRET),
        UnicodeEncodeError("utf-8", SECRET, 0, 1, "surrogates not allowed"),
    ]
    for state in ("23505", "40001", "57014", "08006", None):
        wrapped = asyncpg.PostgresError(f"words\nDETAIL: {SECRET}")
        wrapped.sqlstate = state
        found.append(sa.DBAPIError(f"INSERT {SECRET}", {"x": SECRET}, wrapped))
    for module in (sa, sqlite3):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, sa.DBAPIError):
                original = sqlite3.OperationalError(f"words\nDETAIL: {SECRET}")
                found.append(kind(f"INSERT {SECRET}", {"x": SECRET}, original))
            elif issubclass(kind, sa.SQLAlchemyError | sqlite3.Error):
                # Their constructors differ; what they are is all that counts.
                found.append(kind.__new__(kind))
    return found


@pytest.mark.parametrize("error", driver_errors(), ids=lambda error: type(error).__name__)
def test_every_driver_error_is_mapped_with_its_cause_and_without_values(error: Exception) -> None:
    with pytest.raises(FanlightError) as caught, mapped():
        raise error
    expected = Conflict if isinstance(error, sa.IntegrityError) else Unavailable
    assert type(caught.value) is expected
    assert caught.value.__cause__ is error
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("error", [NotFound("x"), Conflict("x"), ZeroDivisionError()])
def test_other_errors_stay_themselves(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, mapped():
        raise error
    assert caught.value is error
    assert as_core(error) is error


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InvalidPasswordError(f"words\nDETAIL: {SECRET}"),
        asyncpg.InterfaceError(f"words\n{SECRET}"),
        asyncpg.TooManyConnectionsError("words"),
        *driver_errors(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_asyncpg_raises_while_it_connects_is_mapped_too(error: Exception) -> None:
    core = postgres._as_core(error)
    assert isinstance(error, postgres.ERRORS)
    assert isinstance(core, Conflict if isinstance(error, sa.IntegrityError) else Unavailable)
    assert SECRET not in str(core)
