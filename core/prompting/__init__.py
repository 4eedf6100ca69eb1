"""What a model is given: a prompt that fits its window, with nothing in it that must not leave."""
