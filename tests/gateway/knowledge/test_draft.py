"""What edits over files amount to, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from core.gate import Verdict
from core.knowledge import Edit, EditKind
from gateway.knowledge.draft import Draft, overlaid, overlay
from gateway.knowledge.trial import outcome
from kb import Entry, build_index, load_index

HOURS = Entry("hours", "en", "When are you open?", "From nine.")
WHERE = Entry("where", "en", "Where are you?", "Here.")
DONDE = Entry("where", "es", "¿Dónde están?", "Aquí.")
LIVE = load_index(build_index([HOURS, WHERE]))

NAMES = ("hours", "where", "new")


def edit(number: int, name: str, kind: EditKind, takes_back: int | None = None) -> Edit:
    entry = Entry(name, "en", f"Question {number}?", "Yes.") if kind == "set" else None
    return Edit("site", name, "en", kind, "anna", float(number), entry, takes_back, number=number)


def test_files_keep_their_order_and_new_entries_follow() -> None:
    edits = {("where", "en"): DONDE, ("a", "en"): HOURS, ("hours", "en"): None}
    assert overlaid([HOURS, WHERE], edits) == (DONDE, HOURS)


def test_an_undo_takes_back_the_edit_that_it_names_and_no_other() -> None:
    first, second = edit(1, "hours", "set"), edit(2, "hours", "set")
    assert overlay([first, second, edit(3, "hours", "undo", 1)]) == {("hours", "en"): second.entry}
    assert overlay([first, second, edit(3, "hours", "undo", 2)]) == {("hours", "en"): first.entry}
    assert overlay([first, edit(2, "hours", "undo", 7)]) == {("hours", "en"): first.entry}
    assert overlay([first, edit(2, "hours", "undo", 1)]) == {}


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["set", "remove", "undo"]))))
def test_a_draft_is_what_one_gets_by_doing_and_undoing_in_order(
    steps: list[tuple[str, EditKind]],
) -> None:
    files = [HOURS, WHERE]
    edits: list[Edit] = []
    for number, (name, kind) in enumerate(steps, start=1):
        newest = Draft(files, edits).newest((name, "en")) if kind == "undo" else None
        edits.append(edit(number, name, kind, newest.number if newest else None))
    stacks: dict[str, list[Entry | None]] = {name: [] for name in NAMES}
    for done in edits:
        if done.kind != "undo":
            stacks[done.entry_id].append(done.entry)
        elif stacks[done.entry_id]:
            stacks[done.entry_id].pop()
    draft = Draft(files, edits)
    by_name = {"hours": HOURS, "where": WHERE}
    for name, stack in stacks.items():
        assert draft.get((name, "en")) == (stack[-1] if stack else by_name.get(name))
        assert len(draft.history((name, "en"))) == sum(step[0] == name for step in steps)
    states = {item.entry.id: item.state for item in draft.items(LIVE)}
    assert draft.changes(LIVE) == sum(state != "live" for state in states.values())
    assert {"hours", "where"} <= states.keys()
    assert ("new" in states) == (draft.get(("new", "en")) is not None)


def test_entries_of_the_live_index_that_no_file_has_any_more_are_removed() -> None:
    draft = Draft([HOURS, DONDE], ())
    found = [(item.entry.id, item.entry.locale, item.state) for item in draft.items(LIVE)]
    assert found == [("hours", "en", "live"), ("where", "en", "removed"), ("where", "es", "new")]


def test_a_question_back_to_the_visitor_is_an_outcome_of_its_own() -> None:
    def verdict(*reasons: str, answers: bool = False) -> Verdict:
        return Verdict(None, answers=answers, escalate=not answers, reasons=reasons)

    assert outcome(verdict("clarify")) == "asked_back"
    assert outcome(verdict("low_confidence")) == "handed_over"
    assert outcome(verdict("always", answers=True)) == "answered"
