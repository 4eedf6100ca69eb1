"""The command classifier: labelled commands, the fit of its head, and how good it is."""
