"""The confidence of replies: labelled turns, and the fit of its weights."""
