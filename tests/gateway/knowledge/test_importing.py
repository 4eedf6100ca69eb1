"""Which imports wait for an operator's word, and for how long."""

import os

import pytest

from core.errors import Problem
from core.workshop import Brought
from gateway.knowledge.importing import KEPT_S, MOST_KEPT, Imports
from tests.gateway.world import Time

NOTHING = Brought((), (), (), 0, ())


def test_a_sites_imports_push_out_their_own_and_no_other_sites() -> None:
    imports = Imports(Time(), os.urandom)
    other = imports.keep("site_b", "b.md", 0, NOTHING)
    kept = [imports.keep("site_a", "a.md", 0, NOTHING) for _ in range(MOST_KEPT + 1)]
    assert imports.find("site_b", other.id) is other
    with pytest.raises(Problem):
        imports.find("site_a", kept[0].id)
    for one in kept[1:]:
        assert imports.find("site_a", one.id) is one


def test_what_nobody_wanted_in_time_is_let_go_with_the_next_one() -> None:
    time = Time()
    imports = Imports(time, os.urandom)
    imports.keep("site_a", "a.md", 0, NOTHING)
    time.now += KEPT_S
    late = imports.keep("site_b", "b.md", 0, NOTHING)
    assert list(imports._waiting.values()) == [late]
