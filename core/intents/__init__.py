"""What a visitor wants beyond an answer, told from the words alone, before any model is asked."""
