"""Shell commands and SQL: what a command would do, read, create, update or delete."""
