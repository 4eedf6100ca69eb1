"""Truth in SQL: SQLite on one machine; the statements are written for PostgreSQL as well."""
