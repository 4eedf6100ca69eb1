"""The head: a linear classifier over entries, trained when their index is built."""
