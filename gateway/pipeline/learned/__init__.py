"""The learned router: how much a stronger model is worth for a question, from past outcomes."""
