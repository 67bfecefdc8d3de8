import copy
import pickle

import numpy as np
import pytest

import minidl as dl

X = np.linspace(0, 1, 200_000).reshape(200, 10, 100)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("deviation", [0.1, 2.0])
def test_mean_and_deviation(deviation, dtype):
    x = X.astype(dtype)
    before, y = x.copy(), np.arange(200)
    noisy, same = dl.RandomNoise(deviation, rng=0)(x, y)
    assert (noisy.shape, noisy.dtype) == (x.shape, dtype)
    assert same is y
    np.testing.assert_array_equal(x, before)
    noise = noisy.astype(float) - x
    assert abs(noise.mean()) < 4 * deviation / np.sqrt(x.size)  # four standard deviations
    assert noise.std() == pytest.approx(deviation, rel=4 / np.sqrt(2 * x.size))
    within = np.mean(np.abs(noise) < deviation)
    assert within == pytest.approx(0.6827, abs=0.005)  # of a normal distribution
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1


def test_no_deviation_changes_no_bit():
    same, nothing = dl.RandomNoise(0)(X)
    np.testing.assert_array_equal(same, X)
    assert same is not X
    assert nothing is None


def test_the_same_seed_gives_the_same_bits():
    one, other = dl.RandomNoise(0.1, rng=3), dl.RandomNoise(0.1, rng=3)
    first, second = one(X)[0], one(X)[0]
    np.testing.assert_array_equal(other(X)[0], first)
    assert (second != first).all()
    for twin in (copy.deepcopy(other), pickle.loads(pickle.dumps(other))):
        np.testing.assert_array_equal(twin(X)[0], second)


@pytest.mark.parametrize("deviation", [-0.1, np.inf, "1"])
def test_a_deviation_out_of_range(deviation):
    message = r"^RandomNoise: deviation must be a number in \[0, inf\), got "
    with pytest.raises(dl.ArgumentError, match=message):
        dl.RandomNoise(deviation)


def test_what_is_no_floating_batch_is_explained():
    with pytest.raises(dl.DTypeError, match=r"^RandomNoise\(0.1\): expected floating x, got int64"):
        dl.RandomNoise(0.1)([[1, 2]])
    with pytest.raises(dl.ShapeError, match=r"expected a batch \(N, ...\), got \(2,\)"):
        dl.RandomNoise(0.1)([1.0, 2.0])
