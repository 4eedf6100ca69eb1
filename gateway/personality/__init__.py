"""How each site's chat speaks: what operators made and chose, over the owner's configuration."""
