"""The answer pipeline: from a checked question to a judged turn. No HTTP, no driver."""
