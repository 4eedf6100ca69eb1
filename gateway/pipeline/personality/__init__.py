"""How a site's chat speaks: a personality, told to a model before anything else."""
