"""What every Fanlight runtime shares: messages, gate, route, escalation, redaction, ports, errors.

Standard library and `kb` only; synchronous and pure, so that the same lines run on CPython, in the
visitor's browser under Pyodide and in a Python Worker.
"""
