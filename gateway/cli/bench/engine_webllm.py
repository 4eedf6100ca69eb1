"""WebLLM in `fanlight bench engines`, where a library that was compiled for it is named.

Decides that nothing is measured without one: no package brings a library, and a figure that was not
taken is no figure. With one, the model is exported and published as for a visitor, downloaded in a
Chromium that has an adapter, and run through our engine and by WebLLM's own call, in turn. Refuses
a library whose weights cannot be made here, by the exporter's own words.
"""

from __future__ import annotations
