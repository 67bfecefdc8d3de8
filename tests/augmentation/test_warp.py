"""Images moved, turned, zoomed and bent: each against another way to compute the same."""

import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import minidl as dl
from minidl.augmentation.warp import sample

rng = np.random.default_rng(0)
IMAGES = rng.random((130, 9, 7))
LABELS = rng.integers(0, 3, 130)
STRONG = {
    "affine": lambda **options: dl.RandomAffine(shift=2, rotation=30, zoom=0.3, **options),
    "shift": lambda **options: dl.RandomShift(2, **options),
    "rotation": lambda **options: dl.RandomRotation(30, **options),
    "zoom": lambda **options: dl.RandomZoom(0.3, **options),
    "elastic": lambda **options: dl.ElasticDistortion(10, 2, **options),
}
every_warp = pytest.mark.parametrize("warp", STRONG.values(), ids=STRONG)


class Drawn:
    """A generator that draws the same for every image: shift down, shift right, angle, factor."""

    def __init__(self, *draws):
        self.draws = draws

    def uniform(self, low, high, shape):
        assert (low, high) == (-1, 1)
        return np.broadcast_to(np.reshape(self.draws, (1, 4, 1)), shape)


def affine(images, *draws, **options):
    transform = dl.RandomAffine(**options)
    transform._generator = Drawn(*draws)
    return transform(images)[0]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (0, -3), (-1, 4), (-20, 20)])
def test_a_shift_by_whole_pixels(down, right):
    moved = affine(IMAGES, down / 20, right / 20, 0, 0, shift=20)
    rows, columns = np.arange(9) - down, np.arange(7) - right
    expected = IMAGES[:, rows.clip(0, 8)][:, :, columns.clip(0, 6)]  # the edge's nearest pixel
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-14)
    if abs(right) < 7 and abs(down) < 9:
        rolled = np.roll(IMAGES, (down, right), axis=(1, 2))
        inside = np.ix_(range(130), (rows == rows.clip(0, 8)), (columns == columns.clip(0, 6)))
        np.testing.assert_allclose(moved[inside], rolled[inside], rtol=0, atol=1e-14)


def test_half_a_pixel_is_the_mean_of_two():
    image = np.array([[[0.0, 1.0, 4.0]]])
    np.testing.assert_allclose(affine(image, 0, 0.5, 0, 0, shift=1)[0, 0], [0, 0.5, 2.5])
    np.testing.assert_allclose(affine(image, 0, -0.25, 0, 0, shift=1)[0, 0], [0.25, 1.75, 4])


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("turns", [-1, 1, 2])
def test_a_rotation_by_right_angles(side, turns):
    images = rng.random((3, side, side, 2))
    turned = affine(images, 0, 0, turns / 2, 0, rotation=180)  # anticlockwise, as rot90
    np.testing.assert_allclose(turned, np.rot90(images, turns, axes=(1, 2)), rtol=0, atol=1e-13)


def test_a_zoom_by_hand():
    image = np.array([[[0.0, 1.0, 2.0, 3.0, 4.0]] * 3])
    # From the centre 2: at half the distance, and at twice the distance.
    np.testing.assert_allclose(
        affine(image, 0, 0, 0, 1, zoom=0.5)[0, 1], [2 / 3, 4 / 3, 2, 8 / 3, 10 / 3]
    )
    np.testing.assert_allclose(affine(image, 0, 0, 0, -1, zoom=0.5)[0, 1], [0, 0, 2, 4, 4])
    square = np.zeros((1, 4, 4))
    square[0, 1:3, 1:3] = 1  # a square of 2 pixels becomes one of 4 that touch the edge
    expected = np.array([[0.5625, 0.75, 0.75, 0.5625], [0.75, 1, 1, 0.75]])
    smaller = affine(square, 0, 0, 0, 0.5 / 0.9, zoom=0.9)  # factor 1.5
    np.testing.assert_allclose(smaller[0, 1:3, 1:3], np.ones((2, 2)), atol=1e-14)
    larger = affine(square, 0, 0, 0, 1, zoom=1 - 1e-12)  # factor 2
    np.testing.assert_allclose(larger[0, :2], expected, atol=1e-9)


@pytest.mark.parametrize("amounts", [(2, 30, 0.3), (3, 0, 0), (0, 180, 0), (0, 0, 0.9)])
def test_affine_against_scipy(amounts):
    shift, rotation, zoom = amounts
    transform = dl.RandomAffine(shift=shift, rotation=rotation, zoom=zoom, rng=1)
    draws = copy.deepcopy(transform)._generator.uniform(-1, 1, (130, 4))
    moved = transform(IMAGES)[0]
    centre = np.array([4.0, 3.0])
    for image, found, (down, right, turn, size) in zip(IMAGES, moved, draws, strict=True):
        angle, factor = np.deg2rad(rotation * turn), 1 + zoom * size
        # Rows point down, so anticlockwise on the screen is clockwise in (row, column).
        turned = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        inverse = np.linalg.inv(factor * np.array(turned))
        offset = centre - inverse @ (centre + shift * np.array([down, right]))
        expected = ndimage.affine_transform(image, inverse, offset, order=1, mode="nearest")
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sampling_against_scipy(channels, dtype, tolerance):
    images = rng.random((4, 6, 5, channels)).astype(dtype)
    rows, columns = rng.uniform(-3, 9, (2, 4, 8, 3))
    found = sample(images, rows, columns)
    assert found.shape == (4, 8, 3, channels)
    assert found.dtype == dtype
    for n in range(4):
        for c in range(channels):
            expected = ndimage.map_coordinates(
                images[n, :, :, c].astype(float), [rows[n], columns[n]], order=1, mode="nearest"
            )
            np.testing.assert_allclose(found[n, :, :, c], expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", [(9, 7), (16, 16)])
def test_elastic_against_scipy(shape):
    images = rng.random((70, *shape))
    transform = dl.ElasticDistortion(8, 1.5, rng=2)
    draws = copy.deepcopy(transform)._generator
    bent = transform(images)[0]
    field = 8 * (2 * draws.random((70, 2, *shape), dtype=np.float32) - 1)
    field = ndimage.gaussian_filter(field, 1.5, mode="constant", axes=(2, 3))
    for image, found, moves in zip(images, bent, field, strict=True):
        places = np.indices(shape) + moves
        expected = ndimage.map_coordinates(image, places, order=1, mode="nearest")
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)  # a float32 field


def test_how_far_elastic_distortion_moves_pixels():
    rows, columns = dl.ElasticDistortion(rng=0).places(400, 28, 28)
    moves = np.stack([rows - np.arange(28)[:, None], columns - np.arange(28)])[:, :, 12:16, 12:16]
    expected = 34 / (2 * 4 * np.sqrt(3 * np.pi))  # 1.38, as the docstring says
    np.testing.assert_allclose(np.sqrt((moves**2).mean(axis=(1, 2, 3))), expected, rtol=0.06)
    np.testing.assert_allclose(moves.mean(axis=(1, 2, 3)), 0, atol=0.15)
    assert abs((moves[0] * moves[1]).mean()) < 0.2  # the two directions are independent


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("warp", [dl.RandomAffine(), dl.ElasticDistortion(0.0)], ids=str)
def test_no_strength_changes_no_bit(warp, dtype):
    x = IMAGES.astype(dtype)
    same, labels = warp(x, LABELS)
    np.testing.assert_array_equal(same, x, strict=True)
    assert same is not x
    assert labels is LABELS


@every_warp
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_every_warp_keeps(warp, dtype):
    x = IMAGES.astype(dtype)
    before = x.copy()
    changed, labels = warp(rng=0)(x, LABELS)
    assert (changed.shape, changed.dtype) == (x.shape, dtype)
    assert labels is LABELS
    np.testing.assert_array_equal(x, before)
    assert (changed != x).any(axis=(1, 2)).all()
    assert changed.min() >= x.min()
    assert changed.max() <= x.max()


@every_warp
def test_every_image_gets_its_own_draw(warp):
    x = IMAGES[:1].repeat(70, axis=0)
    changed = warp(rng=0)(x)[0].reshape(70, -1)
    assert len(np.unique(changed, axis=0)) == 70


@every_warp
def test_forms_of_images(warp):
    flat, colours = IMAGES.reshape(130, 63), IMAGES[..., np.newaxis].repeat(3, axis=-1)
    expected, nothing = warp(rng=0)(IMAGES)
    assert nothing is None
    from_rows = warp(image_shape=(9, 7), rng=0)(flat, LABELS.tolist())
    np.testing.assert_array_equal(from_rows[0], expected.reshape(130, 63), strict=True)
    np.testing.assert_array_equal(from_rows[1], LABELS)
    for c in range(3):
        np.testing.assert_array_equal(warp(rng=0)(colours)[0][..., c], expected)
    rows = warp(image_shape=[9, np.int64(7), 3], rng=0)(colours.reshape(130, -1))[0]
    np.testing.assert_array_equal(rows, warp(rng=0)(colours)[0].reshape(130, -1))
    strided = np.asfortranarray(IMAGES)[::2]
    np.testing.assert_array_equal(warp(rng=0)(strided)[0], warp(rng=0)(IMAGES[::2].copy())[0])


@every_warp
def test_the_same_seed_gives_the_same_bits(warp):
    one, other = warp(rng=3), warp(rng=3)
    first, second = one(IMAGES)[0], one(IMAGES)[0]
    np.testing.assert_array_equal(other(IMAGES)[0], first)
    assert (second != first).any()
    copied, pickled = copy.deepcopy(other), pickle.loads(pickle.dumps(other))
    for twin in (other, copied, pickled):
        np.testing.assert_array_equal(twin(IMAGES)[0], second)
    assert (warp(rng=4)(IMAGES)[0] != first).any()


def test_amounts_of_one_kind_do_not_depend_on_the_others():
    alone, together = dl.RandomShift(2, rng=0), dl.RandomAffine(shift=2, zoom=0.2, rng=0)
    rows, _ = alone.places(50, 9, 9)
    zoomed, _ = together.places(50, 9, 9)
    middle_moves = rows[:, 4, 4] - 4
    factors = 1 / (zoomed[:, 5, 4] - zoomed[:, 4, 4])
    np.testing.assert_allclose((zoomed[:, 4, 4] - 4) * factors, middle_moves)
    turns, _ = dl.RandomRotation(20, rng=0).places(50, 9, 9)
    assert abs(np.corrcoef(middle_moves, turns[:, 4, 8])[0, 1]) < 0.5


def test_draws_fill_their_ranges():
    transform = dl.RandomAffine(shift=3, rotation=20, zoom=0.25, rng=0)
    rows, columns = transform.places(4000, 9, 9)
    # The inverse map is linear, so its matrix and offset are differences.
    (a, b), c = (
        ((rows[:, 5, 4], rows[:, 4, 5]) - rows[:, 4, 4]),
        columns[:, 4, 5] - columns[:, 4, 4],
    )
    np.testing.assert_allclose(a, c)
    factor, angle = 1 / np.hypot(a, b), np.rad2deg(np.arctan2(b, a))
    moved = np.stack([rows[:, 4, 4] - 4, columns[:, 4, 4] - 4])
    cos, sin = factor * np.cos(np.deg2rad(angle)), factor * np.sin(np.deg2rad(angle))
    down, right = cos * moved[0] - sin * moved[1], sin * moved[0] + cos * moved[1]
    for found, low, high in (
        (-down, -3, 3),
        (-right, -3, 3),
        (angle, -20, 20),
        (factor, 0.75, 1.25),
    ):
        assert found.min() >= low - 1e-9
        assert found.max() <= high + 1e-9
        expected = np.linspace(low, high, 11)  # each tenth of the range has a tenth of the draws
        counts = np.histogram(found, expected + np.r_[-1e-9, np.zeros(9), 1e-9])[0]
        assert np.abs(counts - 400).max() < 80  # four standard deviations


@given(st.integers(0, 2**32), st.sampled_from([np.float16, np.float32, np.float64]))
@settings(deadline=None, max_examples=50)
def test_no_value_leaves_the_range_of_its_image(seed, dtype):
    r = np.random.default_rng(seed)
    images = r.choice([-0.3, 0.0, 0.1, 1.0], (5, 6, 6)).astype(dtype)
    changed = dl.RandomAffine(shift=3, rotation=90, zoom=0.5, rng=seed)(images)[0]
    assert (changed.max(axis=(1, 2)) <= images.max(axis=(1, 2))).all()
    assert (changed.min(axis=(1, 2)) >= images.min(axis=(1, 2))).all()


@every_warp
@pytest.mark.parametrize(
    ("x", "options", "kind", "message"),
    [
        (
            np.zeros((5, 784)),
            {},
            dl.ShapeError,
            r"images \(N, H, W\) or \(N, H, W, C\), got \(5, 784\). For images in flat rows say "
            r"their shape, such as image_shape=\(28, 28\)\.",
        ),
        (np.zeros((5, 1, 2, 3, 4)), {}, dl.ShapeError, r"got \(5, 1, 2, 3, 4\)"),
        (np.zeros((5, 12)), {"image_shape": (4, 4)}, dl.ShapeError, r"shape \(4, 4\), got \(5, 12"),
        (np.zeros(5), {}, dl.ShapeError, r"expected a batch \(N, ...\), got \(5,\)"),
        (np.zeros((5, 4, 4), np.uint8), {}, dl.DTypeError, r"got uint8: use x.astype\(.*\) / 255"),
        (np.zeros((5, 4, 4), int), {}, dl.DTypeError, r"got int64: use x.astype\(np.float32\)\."),
    ],
)
def test_what_are_no_images_is_explained(warp, x, options, kind, message):
    transform = warp(rng=0, **options)
    with pytest.raises(kind, match=f"^{re.escape(repr(transform))}: .*{message}"):
        transform(x)


@every_warp
@pytest.mark.parametrize("shape", [(28,), (1, 2, 3, 4), 28])
def test_image_shapes_that_are_none(warp, shape):
    message = rf"^\w+: image_shape must be \(H, W\) or \(H, W, C\), got {re.escape(repr(shape))}"
    with pytest.raises(dl.ArgumentError, match=message):
        warp(image_shape=shape)
    with pytest.raises(dl.ArgumentError, match="image_shape must be a whole number of at least 1"):
        warp(image_shape=(28, 0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.RandomAffine(shift=-1), "RandomAffine: shift must be a number in [0, inf)"),
        (lambda: dl.RandomShift("2"), "RandomShift: shift must be a number in [0, inf), got '2'"),
        (lambda: dl.RandomRotation(np.nan), "RandomRotation: rotation must be a number in [0, inf"),
        (lambda: dl.RandomZoom(1), "RandomZoom: zoom must be a number in [0, 1), got 1."),
        (lambda: dl.ElasticDistortion(-1), "ElasticDistortion: alpha must be a number in [0, inf)"),
        (lambda: dl.ElasticDistortion(1, 0), "ElasticDistortion: sigma must be above 0."),
        (lambda: dl.ElasticDistortion(1, -1), "ElasticDistortion: sigma must be a number in [0, "),
        (lambda: dl.RandomShift(1, rng=-1), "rng: a seed must be at least 0, got -1."),
    ],
)
def test_amounts_out_of_range(make, message):
    with pytest.raises(dl.ArgumentError, match=f"^{re.escape(message)}"):
        make()


def test_a_warp_is_shown_as_its_call():
    shown = "RandomShift(2.0, image_shape=(28, 28), rng=0)"
    assert repr(dl.RandomShift(2, image_shape=[28, 28], rng=0)) == shown
    assert repr(dl.ElasticDistortion()) == "ElasticDistortion()"
    assert repr(dl.RandomAffine(zoom=0.1)) == "RandomAffine(zoom=0.1)"


def test_large_images_come_one_by_one():
    x = rng.random((3, 300, 300))  # larger than what is worked on at a time
    transform, again = (dl.RandomAffine(shift=9, rng=0) for _ in range(2))
    expected = np.concatenate([again(image)[0] for image in x[:, np.newaxis]])
    np.testing.assert_array_equal(transform(x)[0], expected)


def test_a_batch_without_rows():
    assert dl.RandomShift(1)(np.zeros((0, 5, 5)))[0].shape == (0, 5, 5)
