"""Where the training texts should lie."""

import numpy as np
import pytest

from models.embed.targets import Vectors, centred, completed, joined, shared, whitened


def units(count: int, width: int, seed: int = 1) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def lengths(vectors: Vectors) -> list[float]:
    return [float(length) for length in np.linalg.norm(vectors, axis=1)]


def test_languages_are_brought_onto_one_footing() -> None:
    meanings = units(30, 8)
    apart = np.concatenate([meanings + 3, meanings - 3]).astype(np.float32)
    found = centred(apart, ["en"] * 30 + ["es"] * 30)
    assert np.allclose(found[:30], found[30:], atol=1e-5)
    assert lengths(found) == pytest.approx([1.0] * 60)


def test_centring_leaves_what_it_was_given() -> None:
    vectors = units(4, 3)
    before = vectors.copy()
    centred(vectors, ["a", "a", "b", "b"])
    assert np.array_equal(vectors, before)


def test_whitening_weakens_the_strong_directions() -> None:
    strong = units(300, 6) * np.array([9, 3, 1, 1, 1, 1], np.float32)
    before = np.linalg.eigvalsh(np.cov(strong.T))
    after = np.linalg.eigvalsh(np.cov(whitened(strong).T))
    assert after[-1] / after[0] < before[-1] / before[0] / 3
    assert lengths(whitened(strong)) == pytest.approx([1.0] * 300, abs=1e-5)


def test_translations_share_one_target() -> None:
    vectors = units(4, 5)
    found = shared(vectors, [[0, 2], [1], [3]])
    mean = vectors[0] + vectors[2]
    assert np.allclose(found[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert np.allclose(found[1:], vectors[[1, 3]], atol=1e-6)


def test_what_the_english_teacher_did_not_see_is_filled_in() -> None:
    source = units(400, 6)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0].astype(np.float32)
    truth = source @ turn
    has = np.arange(400) % 4 > 0
    known = np.where(has[:, None], truth, 7.0).astype(np.float32)
    found = completed(known, has, source)
    assert np.allclose(found[has], truth[has], atol=1e-5)
    assert ((found[~has] * truth[~has]).sum(1) > 0.99).all()


def test_joined_targets_keep_both_teachers_cosines_by_their_shares() -> None:
    first, english = units(50, 6), units(50, 5, 2)
    whole = joined(first, english, 11)
    expected = 0.65 * first @ first.T + 0.35 * english @ english.T
    assert np.allclose(whole @ whole.T, expected, atol=1e-4)


def test_few_dimensions_hold_the_most() -> None:
    first = units(200, 8) * np.array([4, 3, 2, 1, 0.1, 0.1, 0.1, 0.1], np.float32)
    first = np.asarray(first / np.linalg.norm(first, axis=1, keepdims=True), np.float32)
    few, whole = joined(first, first, 4), joined(first, first, 16)
    assert few.shape == (200, 4)
    assert lengths(few) == pytest.approx([1.0] * 200, abs=1e-5)
    assert np.abs(few @ few.T - whole @ whole.T).mean() < 0.05
