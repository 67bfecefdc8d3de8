import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

import minidl as dl

FAN_IN, FAN_OUT = 300, 75
NORMAL, UNIFORM = 0.0, -1.2  # excess kurtosis
CUT = stats.truncnorm(-2, 2)  # the normal distribution, cut at two standard deviations

# initializer, mean, standard deviation, kurtosis, largest absolute value
DISTRIBUTIONS = [
    (dl.Uniform(-0.5, 0.5), 0, 1 / math.sqrt(12), UNIFORM, 0.5),
    (dl.Uniform(1, 4), 2.5, 3 / math.sqrt(12), UNIFORM, 4),
    (dl.Normal(), 0, 0.05, NORMAL, math.inf),
    (dl.Normal(2, 0.5), 2, 0.5, NORMAL, math.inf),
    (dl.GlorotUniform(), 0, math.sqrt(2 / 375), UNIFORM, math.sqrt(6 / 375)),
    (dl.HeNormal(), 0, math.sqrt(2 / 300), NORMAL, math.inf),
    (dl.LeCunNormal(), 0, math.sqrt(1 / 300), NORMAL, math.inf),
    (dl.GlorotNormal(), 0, math.sqrt(2 / 375), NORMAL, math.inf),
    (dl.HeUniform(), 0, math.sqrt(2 / 300), UNIFORM, math.sqrt(6 / 300)),
    (dl.LeCunUniform(), 0, math.sqrt(1 / 300), UNIFORM, math.sqrt(3 / 300)),
    (dl.TruncatedNormal(), 0, 0.05 * CUT.std(), CUT.stats("k"), 0.1),
    (dl.TruncatedNormal(3, 0.5), 3, 0.5 * CUT.std(), CUT.stats("k"), 4),
    (dl.VarianceScaling(), 0, math.sqrt(1 / 300), NORMAL, math.inf),
    (dl.VarianceScaling(3.0, "fan_out"), 0, math.sqrt(3 / 75), NORMAL, math.inf),
    (
        dl.VarianceScaling(1.0, "fan_avg", "uniform"),
        0,
        math.sqrt(2 / 375),
        UNIFORM,
        math.sqrt(6 / 375),
    ),
]
RANDOM = [row[0] for row in DISTRIBUTIONS] + [dl.Orthogonal()]
EVERY = [*RANDOM, dl.Zeros(), dl.Ones(), dl.Constant(3)]
every_random = pytest.mark.parametrize("initializer", RANDOM, ids=str)


def draw(initializer, shape=(500, 400), seed=0, fans=(FAN_IN, FAN_OUT)):
    return initializer(np.random.default_rng(seed), shape, *fans)


@pytest.mark.parametrize(
    ("initializer", "mean", "std", "kurtosis", "limit"), DISTRIBUTIONS, ids=str
)
def test_moments_are_those_of_the_formula(initializer, mean, std, kurtosis, limit):
    values = draw(initializer)
    assert values.mean() == pytest.approx(mean, abs=5 * std / math.sqrt(values.size))
    assert values.std() == pytest.approx(std, rel=0.01)
    assert stats.kurtosis(values, axis=None) == pytest.approx(kurtosis, abs=0.06)
    assert abs(values).max() <= limit
    if math.isfinite(limit):
        assert abs(values).max() == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize(
    ("initializer", "value"), [(dl.Zeros(), 0), (dl.Ones(), 1), (dl.Constant(-2.5), -2.5)], ids=str
)
def test_constants(initializer, value):
    np.testing.assert_array_equal(draw(initializer, (3, 2)), np.full((3, 2), value))
    assert draw(initializer, ()).shape == ()


@every_random
def test_same_seed_same_values_and_others_differ(initializer):
    first = draw(initializer, (20, 10))
    np.testing.assert_array_equal(first, draw(initializer, (20, 10)))
    assert (first != draw(initializer, (20, 10), seed=1)).all()


@every_random
def test_draws_come_from_the_given_generator_alone(initializer):
    rng = np.random.default_rng(0)
    first = initializer(rng, (20, 10), FAN_IN, FAN_OUT)
    assert (first != initializer(rng, (20, 10), FAN_IN, FAN_OUT)).all()


@pytest.mark.parametrize("initializer", EVERY, ids=str)
@pytest.mark.parametrize("shape", [(4, 3), (3, 3, 2, 8), (1, 5)], ids=str)
def test_shape_and_floating_dtype(initializer, shape):
    values = draw(initializer, shape)
    assert values.shape == shape
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


def test_a_truncated_normal_is_the_generators_normal_where_that_is_within_the_cut():
    z = np.random.default_rng(0).standard_normal((20, 10))
    kept = abs(z) <= 2
    assert not kept.all()
    values = draw(dl.TruncatedNormal(3, 0.5), (20, 10))
    np.testing.assert_array_equal(values[kept], 3 + 0.5 * z[kept])


@pytest.mark.parametrize("gain", [1.0, 2.5])
@pytest.mark.parametrize(
    ("shape", "matrix"),
    [((6, 4), (6, 4)), ((4, 6), (4, 6)), ((5, 5), (5, 5)), ((3, 2, 4), (6, 4)), ((2, 7), (2, 7))],
    ids=str,
)
def test_orthogonal_rows_or_columns(shape, matrix, gain):
    w = draw(dl.Orthogonal(gain), shape).reshape(matrix)
    gram = w.T @ w if matrix[0] >= matrix[1] else w @ w.T
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), atol=1e-14)


def test_a_square_orthogonal_matrix_is_q_of_the_generators_normal_matrix():
    w, a = draw(dl.Orthogonal(), (5, 5)), np.random.default_rng(0).normal(size=(5, 5))
    r = w.T @ a
    np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-14)
    assert (np.diagonal(r) > 0).all()


def test_orthogonal_matrices_have_no_preferred_sign():
    rng = np.random.default_rng(0)
    corners = [dl.Orthogonal()(rng, (3, 3), 3, 3)[0, 0] for _ in range(400)]
    assert 160 < sum(corner > 0 for corner in corners) < 240  # 4 standard deviations


@pytest.mark.parametrize(
    ("initializer", "fans", "missing"),
    [
        (dl.HeNormal(), (None, 10), "fan_in"),
        (dl.LeCunNormal(), (None, 10), "fan_in"),
        (dl.GlorotUniform(), (None, 10), "fan_in"),
        (dl.GlorotUniform(), (10, None), "fan_out"),
        (dl.GlorotNormal(), (None, 10), "fan_in"),
        (dl.GlorotNormal(), (10, None), "fan_out"),
        (dl.HeUniform(), (None, 10), "fan_in"),
        (dl.LeCunUniform(), (None, 10), "fan_in"),
        (dl.VarianceScaling(), (None, 10), "fan_in"),
        (dl.VarianceScaling(mode="fan_out"), (10, None), "fan_out"),
        (dl.VarianceScaling(mode="fan_avg"), (10, None), "fan_out"),
    ],
    ids=str,
)
def test_a_missing_fan_is_explained(initializer, fans, missing):
    message = rf"{type(initializer).__name__}\(.*\): needs {missing}\. Give it in ParameterSpec\("
    with pytest.raises(dl.ArgumentError, match=message):
        draw(initializer, fans=fans)


@pytest.mark.parametrize(
    "initializer",
    [
        dl.Zeros(),
        dl.Ones(),
        dl.Constant(1),
        dl.Uniform(0, 1),
        dl.Normal(),
        dl.TruncatedNormal(),
        dl.Orthogonal(),
    ],
    ids=str,
)
def test_the_others_need_no_fan(initializer):
    assert draw(initializer, (2, 3), fans=(None, None)).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.Uniform(1, 1), r"Uniform\(low=1, high=1\): low must be below high"),
        (lambda: dl.Uniform(2, -2), r"Uniform\(low=2, high=-2\): low must be below high"),
        (lambda: dl.Uniform(0, math.nan), "Uniform: high must be a finite number, got nan"),
        (lambda: dl.Uniform("a", "b"), "Uniform: low must be a finite number, got 'a'"),
        (lambda: dl.Constant("a"), "Constant: value must be a finite number, got 'a'"),
        (lambda: dl.Constant(1j), "Constant: value must be a finite number, got 1j"),
        (lambda: dl.Constant(-math.inf), "Constant: value must be a finite number, got -inf"),
        (lambda: dl.Orthogonal(gain=math.nan), "Orthogonal: gain must be a finite number"),
        (lambda: dl.Normal(0, 0), r"Normal\(mean=0, std=0\): std must be above 0"),
        (lambda: dl.Normal(std=-1), "std must be above 0"),
        (lambda: dl.Normal(std=math.nan), "Normal: std must be a finite number, got nan"),
        (lambda: draw(dl.Orthogonal(), (3,)), r"two axes or more, got \(3,\)"),
        (
            lambda: dl.TruncatedNormal(0, 0),
            r"TruncatedNormal\(mean=0, std=0\): std must be above 0",
        ),
        (lambda: dl.TruncatedNormal(math.inf), "TruncatedNormal: mean must be a finite number"),
        (lambda: dl.VarianceScaling(0), r"VarianceScaling\(scale=0, .*: scale must be above 0"),
        (lambda: dl.VarianceScaling(math.inf), "VarianceScaling: scale must be a finite number"),
        (lambda: dl.VarianceScaling(1, "fan"), "mode must be 'fan_in', 'fan_out' or 'fan_avg'"),
        (
            lambda: dl.VarianceScaling(distribution="gamma"),
            "distribution must be 'normal' or 'uniform'",
        ),
    ],
)
def test_wrong_arguments_are_explained(make, message):
    with pytest.raises(dl.ArgumentError, match=message):
        make()


def test_initializers_are_values():
    assert dl.Uniform(-1, 1) == dl.Uniform(-1, 1) != dl.Uniform(-1, 2)
    assert dl.Orthogonal() == dl.Orthogonal(gain=1.0)
    assert len({dl.HeNormal(), dl.HeNormal(), dl.Zeros()}) == 2


@pytest.mark.parametrize("initializer", EVERY, ids=str)
def test_initializers_are_frozen(initializer):
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
        initializer.gain = 2


def test_truncated_normal_has_the_shape_of_the_cut_normal():
    values = (draw(dl.TruncatedNormal(1, 0.5), (10_000,)) - 1) / 0.5
    assert stats.kstest(values, CUT.cdf).pvalue > 0.01
    assert draw(dl.TruncatedNormal(), ()).shape == ()


@pytest.mark.parametrize(
    ("named", "general"),
    [
        (dl.HeNormal(), dl.VarianceScaling(2.0)),
        (dl.HeUniform(), dl.VarianceScaling(2.0, distribution="uniform")),
        (dl.GlorotNormal(), dl.VarianceScaling(1.0, "fan_avg")),
        (dl.GlorotUniform(), dl.VarianceScaling(1.0, "fan_avg", "uniform")),
        (dl.LeCunNormal(), dl.VarianceScaling()),
        (dl.LeCunUniform(), dl.VarianceScaling(distribution="uniform")),
    ],
    ids=str,
)
def test_variance_scaling_is_the_general_form(named, general):
    np.testing.assert_allclose(draw(named, (20, 10)), draw(general, (20, 10)), rtol=1e-14)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [(dl.HeNormal(), 2 / 45), (dl.LeCunUniform(), 1 / 45), (dl.GlorotNormal(), 2 / (45 + 1800))],
    ids=str,
)
def test_a_convolution_kernel_is_scaled_by_the_fans_and_not_by_its_shape(initializer, variance):
    kernel = draw(initializer, (3, 3, 5, 200), fans=(3 * 3 * 5, 3 * 3 * 200))
    assert kernel.var() == pytest.approx(variance, rel=0.05)
