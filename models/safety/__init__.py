"""The safety head: the texts that it learns from, its fit, and how good it is."""
