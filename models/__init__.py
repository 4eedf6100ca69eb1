"""How the models that Fanlight ships are made: their sources, their training and their packing.

Nothing here runs in a product; `gateway`, `core`, `kb` and `edge` import none of it.
"""
