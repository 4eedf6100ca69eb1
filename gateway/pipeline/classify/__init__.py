"""Stage 1: what kind of task a question is, how hard it is, and how sure that is."""
