"""ASGI middleware: each class refuses early or lets a request through."""
