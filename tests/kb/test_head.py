from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.features import feature_blocks
from kb.head import (
    LIMIT,
    VECTOR_WEIGHT,
    WEIGHTS,
    FeatureSpace,
    Head,
    HeadWeights,
    Lesson,
    clipped,
    feature_space,
)
from models.head.trainer import SoftmaxTrainer

TEXTS = (
    "where is my parcel", "my parcel is late", "track the parcel",
    "refund my order", "I want a refund", "money back please",
    "who won the war", "how far is the moon", "tell me a joke",
)  # fmt: skip
LABELS = (0, 0, 0, 1, 1, 1, 2, 2, 2)
VECTORS = tuple(
    None if at == 8 else tuple(float(value) for value in row)
    for at, row in enumerate(np.random.default_rng(1).normal(size=(9, 4)))
)


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    return feature_space(feature_blocks(text) for text in TEXTS)


@pytest.fixture(scope="module")
def weights(space: FeatureSpace) -> HeadWeights:
    rows = [space.row(feature_blocks(text)) for text in TEXTS]
    return SoftmaxTrainer().fit(Lesson(rows, VECTORS, LABELS, len(space), 3))


@pytest.fixture(scope="module")
def head(space: FeatureSpace, weights: HeadWeights) -> Head:
    return Head(space, weights, 4)


def length_of(space: FeatureSpace, text: str) -> float:
    _, own = space.row(feature_blocks(text))
    return sqrt(sum(weight * weight for weight in own))


def test_each_block_of_a_known_text_has_its_own_length(space: FeatureSpace) -> None:
    expected = sqrt(sum(weight * weight for weight in WEIGHTS))
    assert length_of(space, TEXTS[0]) == pytest.approx(expected)


def test_a_text_without_features_has_an_empty_row(space: FeatureSpace) -> None:
    assert space.row(feature_blocks("?!")) == ([], [])


def test_a_feature_that_was_never_seen_shortens_all_others(space: FeatureSpace) -> None:
    known, strange = length_of(space, "my parcel"), length_of(space, "my parcel xyzzyplugh")
    assert 0 < strange < known


def test_a_word_said_twice_counts_less_than_double(space: FeatureSpace) -> None:
    names = space.names[0]
    parcel, late = names.index("parcel"), names.index("late")

    def ratio(text: str) -> float:
        found = dict(zip(*space.row(feature_blocks(text)), strict=True))
        return found[parcel] / found[late]

    assert 1 < ratio("parcel parcel late") / ratio("parcel late") < 2


def test_a_common_feature_weighs_less_than_a_rare_one(space: FeatureSpace) -> None:
    names = space.names[0]
    found = dict(zip(*space.row(feature_blocks("parcel joke")), strict=True))
    assert found[names.index("joke")] > found[names.index("parcel")]


def test_features_are_named_in_order_whatever_the_order_of_sets(space: FeatureSpace) -> None:
    assert all(list(block) == sorted(block) for block in space.names)
    assert len(space) == sum(map(len, space.names))


@pytest.mark.parametrize("text", [*TEXTS, "where is the refund", "xyzzy", ""])
@pytest.mark.parametrize("vector", [None, (0.1, -0.4, 0.8, 0.3)])
def test_scores_equal_the_dense_computation(
    head: Head, space: FeatureSpace, weights: HeadWeights, text: str,
    vector: tuple[float, ...] | None,
) -> None:  # fmt: skip
    table = np.zeros((len(space), 3))
    for label in range(3):
        feature = 0
        for at in range(weights.starts[label], weights.starts[label + 1]):
            feature += weights.gaps[at]
            table[feature, label] = weights.values[at] * weights.scale
    plane = np.array(weights.plane, float).reshape(3, 4) * weights.plane_scale
    row = np.zeros(len(space))
    for number, weight in zip(*space.row(feature_blocks(text)), strict=True):
        row[number] = weight
    dense = np.array(weights.bias) + row @ table
    if vector is not None:
        dense += VECTOR_WEIGHT * plane @ np.array(vector)
    found = [head.score(head.row(text), vector, label) for label in range(3)]
    assert found == pytest.approx(dense.tolist(), abs=1e-9)


def test_a_trained_head_knows_its_own_texts(head: Head) -> None:
    for text, vector, label in zip(TEXTS, VECTORS, LABELS, strict=True):
        scores = [head.score(head.row(text), vector, at) for at in range(3)]
        assert max(range(3), key=scores.__getitem__) == label


def test_a_head_without_vectors_hears_none(space: FeatureSpace, weights: HeadWeights) -> None:
    deaf, row = Head(space, weights, 0), space.row(feature_blocks("my parcel"))
    assert deaf.score(row, (1.0, 2.0, 3.0, 4.0), 1) == deaf.score(row, None, 1)


@given(st.floats(allow_nan=False))
def test_log_odds_stay_within_what_they_can_tell(log_odds: float) -> None:
    assert -LIMIT <= clipped(log_odds) <= LIMIT
    assert clipped(log_odds) in {log_odds, LIMIT, -LIMIT}
