"""The estimated probability that a reply is right, from what was retrieved for its question.

`read_confidence` makes one `Scorer` over an embedding; its `look` gives the probability and the
dimensions of quality. Standard library only, the same on a server, at the edge and in a browser.
"""

from core.confidence.closeness import Closeness
from core.confidence.estimate import Fitted, Look, Scorer
from core.confidence.fitted import FITTED

__all__ = ["FITTED", "Closeness", "Fitted", "Look", "Scorer"]
