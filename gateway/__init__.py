"""The gateway: integrity, sessions, chat, escalation and the operator's console over HTTP."""
