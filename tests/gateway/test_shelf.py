"""What is served can be replaced while it is, and what was replaced is there for a while."""

from gateway.context import SiteKnowledge, load_knowledge
from gateway.shelf import REPLACED_KEPT, REPLACED_KEPT_S, Shelf
from kb import Entry, build_index
from tests.gateway.world import Time


def knowledge(answer: str) -> SiteKnowledge:
    return load_knowledge(build_index([Entry("a", "en", "What is it?", answer)]), None)


def releases(*known: SiteKnowledge) -> list[str]:
    return [one.index.release for one in known]


def test_the_newest_is_served_and_the_one_before_for_an_hour() -> None:
    time, old, new = Time(), knowledge("old"), knowledge("new")
    shelf = Shelf({"site_a": old, "site_b": old}, time)
    shelf.put("site_a", new)
    assert (shelf["site_a"], shelf["site_b"], len(shelf)) == (new, old, 2)
    before, now = releases(old, new)
    assert shelf.release("site_a", now) is new
    assert shelf.release("site_a", before) is old
    assert shelf.release("site_b", now) is None
    assert shelf.release("site_c", now) is None
    time.now += REPLACED_KEPT_S
    assert shelf.release("site_a", before) is None
    assert shelf.release("site_a", now) is new


def test_only_the_last_few_that_were_replaced_are_kept() -> None:
    shelf = Shelf({}, Time())
    known = [knowledge(f"number {number}") for number in range(REPLACED_KEPT + 2)]
    for one in known:
        shelf.put("site_a", one)
    found = [shelf.release("site_a", name) for name in releases(*known)]
    assert found == [None, *known[1:]]


def test_what_was_replaced_long_ago_is_let_go() -> None:
    one, two, three = (knowledge(word) for word in ("one", "two", "three"))
    for publish, left in ((False, []), (True, [two])):
        time = Time()
        shelf = Shelf({"site_a": one}, time)
        shelf.put("site_a", two)
        time.now += REPLACED_KEPT_S
        if publish:
            shelf.put("site_a", three)
        else:
            shelf.release("site_a", "another")
        assert [old.knowledge for old in shelf._replaced["site_a"]] == left


def test_the_same_again_replaces_nothing() -> None:
    shelf, one = Shelf({}, Time()), knowledge("one")
    for _ in range(REPLACED_KEPT + 1):
        shelf.put("site_a", one)
    assert shelf.release("site_a", releases(one)[0]) is one
