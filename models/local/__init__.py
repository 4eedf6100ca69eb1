"""How far a reply of a model on the visitor's device can be believed: turns, labels, the fit."""
