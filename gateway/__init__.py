"""The gateway: integrity, sessions, chat, escalation and the operator's console over HTTP."""

__version__ = "0.1.0"
