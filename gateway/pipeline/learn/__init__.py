"""What is learnt from turns: how they were answered, and what came of it."""
