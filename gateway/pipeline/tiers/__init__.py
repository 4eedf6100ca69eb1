"""Stage 2 by tiers: which model is asked, by what a question needs and what its caller may have."""
