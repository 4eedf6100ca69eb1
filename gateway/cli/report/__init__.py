"""The page that `fanlight kb report` writes: pure functions from figures to HTML."""
