"""Gradients of limited length or size, for every rule."""

import math
import re
import tracemalloc

import numpy as np
import pytest
from optimizer_cases import OPTIMIZER_CASES

import minidl as dl
from minidl.optimizers.clipping import clipped_by_norm

KINDS = sorted({type(case.make()) for case in OPTIMIZER_CASES}, key=lambda kind: kind.__name__)
every_kind = pytest.mark.parametrize("kind", KINDS)


def step(grads, dtype=np.float64, trainable=None, **options):
    """What plain SGD with a rate of 1 subtracts."""
    params = np.zeros(len(grads), dtype)
    dl.SGD(1.0, **options).update(params, np.array(grads, dtype), trainable=trainable)
    return -params


def test_a_long_gradient_keeps_its_direction():
    np.testing.assert_allclose(step([3, -4, 0], clip_norm=2.5), [1.5, -2, 0], rtol=1e-15)


def test_a_gradient_of_the_limit_or_shorter_stays_as_it_is():
    for limit in (5.0, 5.1, 1e9):
        np.testing.assert_array_equal(step([0.3, -0.4, 0], clip_norm=limit / 10), [0.3, -0.4, 0])
        np.testing.assert_array_equal(step([3, -4, 0], clip_norm=limit), [3, -4, 0])


def test_at_the_limit_the_gradient_itself_comes_back():
    grads, scratch, out = np.array([1.0, -0.7, 0.3]), np.empty(3), np.empty(3)
    norm = float(np.sqrt(grads @ grads))
    assert clipped_by_norm(grads, norm, scratch, out) is grads
    assert clipped_by_norm(grads, norm * (1 - 1e-15), scratch, out) is out


def test_nothing_is_added_to_the_norm():
    # c / (||g|| + 1e-6), which PyTorch takes, would be 1e-6 off
    clipped = step([3e-3, -4e-3], clip_norm=1e-3)
    assert math.hypot(*clipped) == pytest.approx(1e-3, rel=1e-15)


def test_elements_are_clipped_by_value():
    np.testing.assert_array_equal(step([3, -4, 0.5, 2], clip_value=2), [2, -2, 0.5, 2])


@pytest.mark.parametrize("size", [1e25, 3e38, 1e-25, 1e-44])
@pytest.mark.parametrize("sign", [1, -1])
def test_squares_that_float32_does_not_hold(size, sign):
    grads = np.float32(sign * size) * np.array([1, 0, -1, 1, 1], np.float32)
    clipped = step(grads, np.float32, clip_norm=1e-3 if size > 1 else size)
    length = 1e-3 if size > 1 else np.float32(size)
    assert clipped.dtype == np.float32
    tolerance = {"rtol": 1e-6} if size > 1e-40 else {"atol": 1.5e-45}
    np.testing.assert_allclose(clipped, sign * length / 2 * np.array([1, 0, -1, 1, 1]), **tolerance)


@every_kind
@pytest.mark.parametrize("options", [{"clip_norm": 1.0}, {"clip_value": 1.0}])
def test_a_zero_gradient_stays_zero(kind, options):
    params = np.ones(3, np.float32)
    kind(0.1, **options).update(params, np.zeros(3, np.float32), decay=np.zeros(3))
    np.testing.assert_array_equal(params, np.ones(3))


def test_no_parameters_at_all():
    dl.SGD(0.1, clip_norm=1.0).update(np.zeros(0), np.zeros(0))


@every_kind
@pytest.mark.parametrize("option", ["clip_norm", "clip_value"])
def test_clipping_comes_before_moments(kind, option):
    grads = np.random.default_rng(0).normal(size=(20, 4))
    one, two = np.ones(4), np.ones(4)
    clipping, plain = kind(0.01, **{option: 0.5}), kind(0.01)
    for g in grads:
        clipping.update(one, g)
        short = np.clip(g, -0.5, 0.5)
        if option == "clip_norm":
            short = g * min(1, 0.5 / np.linalg.norm(g))
        plain.update(two, short)
    np.testing.assert_allclose(one, two, rtol=1e-13)
    for name, kept in clipping.state.items():
        np.testing.assert_allclose(kept, plain.state[name], rtol=1e-11)


def test_weight_decay_is_not_clipped():
    params = np.array([8.0])
    dl.SGD(1.0, weight_decay=0.5, clip_norm=1.0).update(params, np.array([100.0]))
    assert params[0] == 8 - 1 - 4


def test_the_norm_is_of_the_part_that_is_trained():
    trainable = np.array([1.0, 1.0, 0.0])
    clipped = step([3, -4, 1e9], clip_norm=2.5, trainable=trainable)
    np.testing.assert_allclose(clipped, [1.5, -2, 0], rtol=1e-15)
    np.testing.assert_array_equal(
        step([3, -4, 1e9], clip_norm=5.0, trainable=trainable), [3, -4, 0]
    )
    np.testing.assert_array_equal(
        step([3, -4, 1e9], clip_value=3.0, trainable=trainable), [3, -3, 0]
    )


@every_kind
@pytest.mark.parametrize("options", [{"clip_norm": 1.0}, {"clip_value": 1.0}])
def test_nothing_is_written_to_or_allocated(kind, options):
    params, grads, mask = np.ones(100_000), np.ones(100_000), np.ones(100_000)
    for array in (grads, mask):
        array.flags.writeable = False
    optimizer = kind(0.1, **options)
    optimizer.update(params, grads, trainable=mask)
    tracemalloc.start()
    optimizer.update(params, grads, trainable=mask)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_a_network_whose_gradient_explodes_learns_with_clipping():
    x, y = dl.synthetic_digits(200, rng=0)

    def last_loss(**options):
        model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(10.0, **options), rng=0)
        return trainer.fit(x, y, epochs=3)["loss"][-1]

    assert last_loss(clip_norm=0.1) < 1 < last_loss()


@every_kind
@pytest.mark.parametrize("option", ["clip_norm", "clip_value"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "above 0, got 0"),
        (-1.0, "a number in [0, inf), got -1.0"),
        (np.inf, "a number in [0, inf), got inf"),
        (np.nan, "a number in [0, inf), got nan"),
        (True, "a number in [0, inf), got True"),
        ("1", "a number in [0, inf), got '1'"),
    ],
)
def test_wrong_limits_are_explained(kind, option, value, message):
    message = re.escape(f"{kind.__name__}: {option} must be {message}")
    with pytest.raises(dl.ArgumentError, match=message):
        kind(0.1, **{option: value})


@every_kind
def test_only_one_kind_of_clipping(kind):
    with pytest.raises(dl.ArgumentError, match=f"{kind.__name__}: give clip_norm or clip_value, n"):
        kind(0.1, clip_norm=1.0, clip_value=1.0)
