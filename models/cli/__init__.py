"""The command `fanlight models`."""
