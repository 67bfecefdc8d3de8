"""synthetic_digits: the promised form, the same bits for a seed, and digits that can be told."""

import sys

import numpy as np
import pytest

from minidl.datasets import synthetic_digits
from minidl.datasets.pen_strokes import pen_paths
from minidl.datasets.synthetic_digits import _BLOCK, _draw, _write
from minidl.errors import ArgumentError, ArgumentTypeError


def test_form():
    x, y = synthetic_digits(3 * _BLOCK + 1, rng=0)
    assert (x.shape, x.dtype) == ((3 * _BLOCK + 1, 784), np.float32)
    assert (y.shape, y.dtype) == ((3 * _BLOCK + 1,), np.int64)
    assert x.flags.c_contiguous
    assert x.min() == 0
    assert x.max() == 1


def test_every_image_shows_ink_on_paper():
    x, _ = synthetic_digits(500, rng=0)
    assert x.max(axis=1).min() > 0.9
    assert x.mean(axis=1).min() > 0.01
    assert x.mean(axis=1).max() < 0.5


def test_labels_are_balanced_and_shuffled():
    _, y = synthetic_digits(1003, rng=0)
    assert sorted(np.bincount(y).tolist()) == [100] * 7 + [101] * 3
    assert len(set(y[:20].tolist())) > 5
    assert not np.array_equal(y, np.arange(1003) % 10)


def test_one_image():
    x, y = synthetic_digits(1, rng=0)
    assert (x.shape, y.tolist()) == ((1, 784), [0])


@pytest.mark.parametrize("rng", [lambda: 7, lambda: np.random.default_rng(7)])
def test_same_rng_gives_the_same_bits(rng):
    for first, second in zip(
        synthetic_digits(150, rng=rng()), synthetic_digits(150, rng=rng()), strict=True
    ):
        np.testing.assert_array_equal(first, second, strict=True)


def test_another_seed_and_a_second_draw_give_others():
    generator = np.random.default_rng(7)
    draws = [synthetic_digits(50, rng=r)[0] for r in (7, 8, generator, generator)]
    for i, first in enumerate(draws):
        for second in draws[i + 1 :]:
            assert not np.array_equal(first, second)


def test_no_two_digits_are_alike():
    x, _ = synthetic_digits(300, rng=0)
    assert len(np.unique(x, axis=0)) == 300


def test_digits_stay_inside_the_image():
    x, _ = synthetic_digits(500, rng=0, image_size=56)
    x = x.reshape(-1, 56, 56)
    border = np.concatenate([x[:, [0, -1], :].reshape(500, -1), x[:, :, [0, -1]].reshape(500, -1)])
    assert border.mean() < 1e-3


def test_image_size_changes_the_resolution_only():
    coarse, y_coarse = synthetic_digits(150, rng=0, image_size=28)
    fine, y_fine = synthetic_digits(150, rng=0, image_size=84)
    np.testing.assert_array_equal(y_coarse, y_fine)
    mean = fine.reshape(150, 28, 3, 28, 3).mean(axis=(2, 4)).reshape(150, -1)
    assert np.abs(mean - coarse).mean() < 0.01


def test_stroke_is_as_dark_as_its_distance_says():
    # A level line of 400 pieces at height 0.43 through an image of 28 rows, pen radius 0.05.
    step = 1 / 400
    centres = np.stack([np.arange(0, 1, step) + step / 2, np.full(400, 0.43)], axis=-1)[None]
    image = np.empty((1, 28, 28), dtype=np.float32)
    _draw(centres, np.full((1, 400), step), np.array([0.05]), out=image)
    distance = np.abs((np.arange(28) + 0.5) / 28 - 0.43)
    expected = np.clip(0.5 + 28 * (0.05 - distance), 0, 1)
    np.testing.assert_allclose(image[0, :, 14], expected, atol=1e-4)


def test_pen_leaves_no_ink_where_it_jumps():
    _, paths, down = pen_paths()
    _, lengths, _ = _write(paths, down, np.random.default_rng(0))
    np.testing.assert_array_equal(lengths > 0, down == 1)


def test_writing_leans_to_the_right():
    # Plain ones: from top to bottom (falling y of the plane) their ink moves left on average.
    x, y = synthetic_digits(1000, rng=0)
    ink = x[y == 1].reshape(-1, 28, 28)
    column = (ink @ np.arange(28)) / np.maximum(ink.sum(axis=2), 1e-6)
    assert np.mean(column[:, 10] - column[:, 17]) > 0.5


def test_every_way_of_writing_is_used_for_its_digit(monkeypatch):
    seen = []

    def spy(paths, down, rng):
        seen.extend(paths)
        return _write(paths, down, rng)

    monkeypatch.setattr(sys.modules["minidl.datasets.synthetic_digits"], "_write", spy)
    _, y = synthetic_digits(500, rng=0)
    digits, paths, _ = pen_paths()
    variant = np.array([np.argmax((paths == path).all(axis=(1, 2))) for path in seen])
    np.testing.assert_array_equal(digits[variant], y)
    assert set(variant.tolist()) == set(range(len(digits)))


def test_a_linear_classifier_learns_them_but_not_all():
    # Least squares on one-hot rows: labels that do not belong to their images would give 0.1.
    x, y = synthetic_digits(4000, rng=0)
    x_test, y_test = synthetic_digits(1000, rng=1)
    gram = x.T @ x + 10 * np.eye(784, dtype=np.float32)
    weights = np.linalg.solve(gram, x.T @ np.eye(10, dtype=np.float32)[y])
    accuracy = np.mean(np.argmax(x_test @ weights, axis=1) == y_test)
    assert 0.75 < accuracy < 0.97


@pytest.mark.parametrize("n", [0, -3])
def test_too_few_images(n):
    with pytest.raises(
        ArgumentError, match=f"synthetic_digits: n must be a whole number of at least 1, got {n}"
    ):
        synthetic_digits(n, rng=0)


def test_too_small_images():
    with pytest.raises(
        ArgumentError, match="image_size must be a whole number of at least 8, got 7"
    ):
        synthetic_digits(1, rng=0, image_size=7)


@pytest.mark.parametrize("value", [2.5, 10.0, "10", None, True])
def test_sizes_that_are_no_integers(value):
    with pytest.raises(ArgumentError, match="n must be a whole number"):
        synthetic_digits(value, rng=0)
    with pytest.raises(ArgumentError, match="image_size must be a whole number"):
        synthetic_digits(1, rng=0, image_size=value)


def test_wrong_rng():
    with pytest.raises(ArgumentTypeError, match="rng"):
        synthetic_digits(1, rng="seed")
