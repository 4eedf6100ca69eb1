"""What all tables share: how their constraints are named, whose a row is, what counts up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# SQLite counts up, in 64 bits, in what is called INTEGER alone.
COUNTED = BigInteger().with_variant(Integer, "sqlite")


def scope_columns() -> tuple[Column[str], Column[str]]:
    """Whose a row is, in a table that other columns find rows by."""
    return Column("site", Text, nullable=False), Column("subject", Text, nullable=False)
