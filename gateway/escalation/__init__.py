"""Escalation: the outbox worker and its schedule. No HTTP, no driver."""
