"""Adapters: the only modules that open a file, a socket, a database or a key."""
