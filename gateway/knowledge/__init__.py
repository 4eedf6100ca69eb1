"""The knowledge desk: what operators write over the owner's files, and how it goes live."""
