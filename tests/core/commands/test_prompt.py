"""A model's first token tells the labels apart."""

import math

import pytest

from core.commands.parts import parts_of
from core.commands.prompt import MOST_CHARACTERS, prompt_of, shares_of


def test_the_prompt_ends_with_the_command_and_waits_for_a_label() -> None:
    [part] = parts_of("helm   uninstall\tweb")
    assert prompt_of(part).endswith("Command: helm uninstall web\nEffect:")
    [query] = parts_of("SELECT\n1")
    assert prompt_of(query).endswith("Command: SELECT 1\nEffect:")


def test_a_long_command_is_cut() -> None:
    [part] = parts_of("ls " + "a" * 3_000)
    assert len(prompt_of(part).rpartition("Command: ")[2]) < MOST_CHARACTERS + 20


def test_first_tokens_are_added_up_by_label() -> None:
    first = {" DEL": math.log(0.3), " DELETE": math.log(0.2), " U": math.log(0.25), "\n": -1.0}
    shares = shares_of(first)
    assert shares is not None
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=lambda label: shares[label]) == "DELETE"
    assert shares["READ"] == pytest.approx(0.125 / (0.5 + 0.25 + 2 * 0.125))


@pytest.mark.parametrize("first", [{}, {" The": -0.1}, {"  ": -0.1}])
def test_where_no_label_is_named_nothing_is_said(first: dict[str, float]) -> None:
    assert shares_of(first) is None
