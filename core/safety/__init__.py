"""The safety head: how likely it is that a text attacks the model, asks for harm, or insults."""
