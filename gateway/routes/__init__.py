"""HTTP routes: each module answers for one resource and decides nothing else."""
