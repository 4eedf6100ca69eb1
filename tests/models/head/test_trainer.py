"""The trainer of the head: what it learns, and what eight bits leave of it."""

import numpy as np
import pytest

from kb.head import VECTOR_WEIGHT, HeadWeights, Lesson
from models.head.softmax import Course, Examples, fit_softmax
from models.head.trainer import BATCH, EPOCHS, SMALL, SMALLEST, SoftmaxTrainer, _matrix

CLASSES = 4
FEATURES = 40
WIDTH = 8


def toy(count: int, seed: int = 1, *, vectors: bool = True) -> Lesson:
    """Texts whose features, and whose vectors, mostly belong to their class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    rows, dense = [], []
    for label in labels:
        own = label * 10 + rng.choice(10, 3, replace=False)
        ids = [*own.tolist(), int(rng.integers(0, FEATURES))]
        rows.append((list(dict.fromkeys(ids)), [0.5] * len(set(ids))))
        centre = np.zeros(WIDTH)
        centre[label] = 1.0
        dense.append((centre + rng.normal(0, 0.2, WIDTH)).tolist())
    every = dense if vectors else [None] * count
    return Lesson(rows, every, labels.tolist(), FEATURES, CLASSES)


def scores(weights: HeadWeights, lesson: Lesson) -> np.ndarray:
    """Scores by the packed weights, as `kb.head` adds them up."""
    table = np.zeros((FEATURES, CLASSES))
    for label in range(CLASSES):
        feature = 0
        for at in range(weights.starts[label], weights.starts[label + 1]):
            feature += weights.gaps[at]
            table[feature, label] = weights.values[at] * weights.scale
    found = _matrix(lesson.rows, FEATURES) @ table + np.array(weights.bias)
    if weights.plane:
        plane = np.array(weights.plane, float).reshape(CLASSES, WIDTH) * weights.plane_scale
        found += VECTOR_WEIGHT * np.array(lesson.vectors, float) @ plane.T
    return np.asarray(found)


@pytest.mark.parametrize("vectors", [True, False])
def test_a_separable_problem_is_learnt(vectors: bool) -> None:
    lesson, unseen = toy(120, vectors=vectors), toy(200, 2, vectors=vectors)
    first = scores(SoftmaxTrainer().fit(lesson), unseen).argmax(1)
    assert (first == np.array(unseen.labels)).mean() >= 0.95


def test_eight_bits_nearly_always_give_the_same_first_class() -> None:
    lesson, unseen = toy(120), toy(400, 3)
    dense = np.array(lesson.vectors, np.float32) * np.float32(VECTOR_WEIGHT)
    examples = Examples(
        _matrix(lesson.rows, FEATURES), dense, np.array(lesson.labels, np.int64), CLASSES
    )
    whole = fit_softmax(examples, Course(EPOCHS[0], BATCH[0]))
    exact = (
        _matrix(unseen.rows, FEATURES) @ whole.sparse
        + VECTOR_WEIGHT * np.array(unseen.vectors) @ whole.dense
        + whole.bias
    )
    packed = scores(SoftmaxTrainer().fit(lesson), unseen)
    assert (packed.argmax(1) == exact.argmax(1)).mean() >= 0.95


def test_the_same_lesson_twice_gives_the_same_weights() -> None:
    assert SoftmaxTrainer().fit(toy(60)) == SoftmaxTrainer().fit(toy(60))


def test_another_seed_orders_the_texts_differently() -> None:
    lesson = toy(600)
    assert SoftmaxTrainer(1).fit(lesson) != SoftmaxTrainer(2).fit(lesson)


def test_weights_that_tell_next_to_nothing_are_left_out() -> None:
    weights = SoftmaxTrainer().fit(toy(60))
    assert min(map(abs, weights.values)) >= SMALLEST
    assert weights.starts[0] == 0
    assert weights.starts[-1] == len(weights.values) == len(weights.gaps)
    assert len(weights.starts) == CLASSES + 1
    assert list(weights.starts) == sorted(weights.starts)


def test_a_lesson_without_vectors_has_no_plane() -> None:
    weights = SoftmaxTrainer().fit(toy(60, vectors=False))
    assert len(weights.plane) == 0
    assert weights.plane_scale > 0


def test_a_text_without_a_vector_is_learnt_by_its_features() -> None:
    lesson = toy(60)
    some = [None if at % 2 else vector for at, vector in enumerate(lesson.vectors)]
    weights = SoftmaxTrainer().fit(Lesson(lesson.rows, some, lesson.labels, FEATURES, CLASSES))
    assert len(weights.plane) == CLASSES * WIDTH


def test_texts_without_any_feature_teach_the_bias_only() -> None:
    lesson = Lesson([([], [])] * 10, [None] * 10, [0] * 9 + [1], 0, 2)
    weights = SoftmaxTrainer().fit(lesson)
    assert len(weights.values) == 0
    assert weights.bias[0] > weights.bias[1]


def test_many_texts_are_read_in_fewer_rounds() -> None:
    many = toy(SMALL + 1)
    dense = np.array(many.vectors, np.float32) * np.float32(VECTOR_WEIGHT)
    examples = Examples(
        _matrix(many.rows, FEATURES), dense, np.array(many.labels, np.int64), CLASSES
    )
    short = fit_softmax(examples, Course(EPOCHS[1], BATCH[1]))
    assert list(SoftmaxTrainer().fit(many).bias) == short.bias.tolist()
