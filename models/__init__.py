"""Models: how they are found, fetched and run, and how those that Fanlight ships are made.

`gateway`, `core`, `kb` and `edge` import none of it: a gateway talks to a model server over HTTP.
"""
