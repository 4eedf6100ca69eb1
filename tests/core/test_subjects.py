"""A cursor of an export says a place and nothing else; whatever it is not is refused."""

import pytest

from core.subjects import PARTS, Place

KEYS = {
    "conversations": ("c_1",),
    "turns": (1_790_000_000.25, "t_1"),
    "trajectories": (1_790_000_000.25, "t_1"),
    "escalations": (0.0, "e_1"),
    "feedback": (1.5, "t_1"),
    "events": (10**18 - 1,),
    "sessions": ("AB-c_9",),
    "receipts": (1.5, "key"),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_place_is_the_same_after_its_way_over_the_wire(part: str) -> None:
    for key in ((), KEYS[part]):
        place = Place(part, key)  # type: ignore[arg-type]
        assert Place.read(place.cursor()) == place


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "receipt_heads",
        "turns~1.5",
        "turns~t_1~1.5",
        "turns~1~t_1",
        "turns~nan~t_1",
        "turns~-1.5~t_1",
        "turns~1e9~t_1",
        "turns~1.5~t_1~t_2",
        "turns~1.5~",
        "turns~1.5~t\x00",
        "turns~1.5~\ud800",
        "turns~1.5~t_1\n",
        "turns~1.5~" + "t" * 201,
        "turns~\u0661.5~t_1",
        "events~1.0",
        "events~-1",
        "events~" + "9" * 19,
        "conversations~c_1~c_2",
        "conversations~",
    ],
    ids=ascii,
)
def test_what_is_no_place_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        Place.read(cursor)
