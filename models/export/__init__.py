"""Writes models for other engines: adapters and merged weights as GGUF, weights as MLC's folder."""
