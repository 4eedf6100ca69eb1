"""Finds, fetches, verifies and keeps models."""
