"""The table of glyphs and its sampling."""

import numpy as np

from minidl.datasets.pen_strokes import GLYPHS, pen_paths


def test_every_digit_has_several_ways_to_write_it():
    digits, paths, down = pen_paths()
    assert digits.tolist() == [digit for digit in range(10) for _ in GLYPHS[digit]]
    assert np.bincount(digits).min() >= 2
    assert paths.shape == (len(digits), 65, 2)
    assert down.shape == (len(digits), 64)


def test_digits_are_centred_and_about_as_high_as_one():
    _, paths, _ = pen_paths()
    low, high = paths.min(axis=1), paths.max(axis=1)
    np.testing.assert_allclose(low, -high, atol=1e-12)
    np.testing.assert_allclose((high - low)[:, 1], 1, atol=0.06)  # curves overshoot their points
    assert np.all((high - low)[:, 0] < 0.8)


def test_pen_is_lifted_between_strokes_only():
    _, _, down = pen_paths()
    strokes = [glyph.count("/") + 1 for variants in GLYPHS.values() for glyph in variants]
    assert (down == 0).sum(axis=1).tolist() == [count - 1 for count in strokes]


def test_pieces_are_short_and_even():
    # A piece longer than the soft minimum is wide would show as a row of dots.
    _, paths, down = pen_paths()
    length = np.linalg.norm(np.diff(paths, axis=1), axis=-1)
    assert length.max(where=down == 1, initial=0) < 0.05
    ratio = length.max(axis=1, where=down == 1, initial=0) / length.min(
        axis=1, where=down == 1, initial=1
    )
    assert ratio.max() < 1.5


def test_strokes_keep_their_ends_and_straight_lines():
    # The first 4: pieces from (14, 0) to (4, 58) to (64, 54), then the pen jumps to (48, 12).
    digits, paths, down = pen_paths()
    four = np.argmax(digits == 4)
    first, second = np.flatnonzero(down[four] == 0)
    ends = paths[four][[0, first, first + 1, second, second + 1, -1]]
    points = np.array([(14, 0), (4, 58), (4, 58), (64, 54), (48, 12), (44, 100)]) / 100
    np.testing.assert_allclose(ends - ends[0], points - points[0], atol=1e-12)
    steps = np.diff(paths[four][: first + 1], axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[0], (first, 1)), atol=1e-12)
