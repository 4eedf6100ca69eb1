"""GGUF files: a reader of headers that trusts nothing, and the making of F16 files."""
