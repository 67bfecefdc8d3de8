import re

import numpy as np
import pytest
from scipy import special, stats

import minidl as dl

LOG, RATE = dl.Poisson(), dl.Poisson(log_input=False)
both_forms = pytest.mark.parametrize("loss", [LOG, RATE], ids=str)


def test_by_hand():
    # rates 1 and 2 for counts 3 and 0: 1 - 3 ln 1 = 1 and 2 - 0; N = 2
    rates, counts = np.array([[1.0], [2.0]]), [[3], [0]]
    value, gradient = LOG.value_and_grad(np.log(rates), counts)
    assert value == pytest.approx(1.5, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-1], [1]], rtol=1e-15)  # (rate - y) / 2
    value, gradient = RATE.value_and_grad(rates, counts)
    assert value == 1.5
    np.testing.assert_array_equal(gradient, [[-1], [0.5]])  # (1 - y / rate) / 2


def test_it_is_the_likelihood_but_for_the_factorial():
    rng = np.random.default_rng(0)
    rates, counts = rng.random((6, 3)) * 9, rng.integers(0, 20, (6, 3))
    expected = (-stats.poisson.logpmf(counts, rates) - special.gammaln(counts + 1)).mean()
    assert LOG(np.log(rates), counts) == pytest.approx(expected, rel=1e-13)
    assert RATE(rates, counts) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("dtype", "eps"), [(np.float32, 2**-23), (np.float64, 2**-52)])
def test_rates_are_floored_at_epsilon(dtype, eps):
    value, gradient = RATE.value_and_grad(np.zeros((2, 1), dtype), [[0], [3]])
    assert value == pytest.approx(-3 * np.log(eps) / 2, rel=1e-6)
    np.testing.assert_allclose(gradient, [[0.5], [(1 - 3 / eps) / 2]], rtol=1e-6)


def test_metrics_get_rates():
    z = np.log([[1.0], [4.0]])
    np.testing.assert_allclose(LOG.predicted_labels(z), [[1], [4]], rtol=1e-15)
    assert RATE.predicted_labels(z) is z
    assert LOG.true_labels(z) is z

    def largest(y_true, y_pred):
        return float(y_pred.max())

    model = dl.Dense(1).build((1,), dtype=np.float64)
    model.bias = np.log([7.0])
    trainer = dl.Trainer(model, LOG, dl.SGD(0.1), metrics=[largest])
    assert trainer.evaluate(np.zeros((2, 1)), [[3], [4]])["largest"] == pytest.approx(7)


def test_a_fit_of_a_constant_finds_the_mean_count():
    counts = np.array([[0], [2], [3], [7]])
    model = dl.Dense(1).build((1,), rng=0, dtype=np.float64)
    dl.Trainer(model, LOG, dl.SGD(0.1)).fit(np.zeros((4, 1)), counts, epochs=200, batch_size=4)
    assert np.exp(model.bias[0]) == pytest.approx(3, rel=1e-6)


@both_forms
def test_negative_counts_are_refused(loss):
    message = (
        f"{loss}: targets are counts and must be at least 0, got -2 in row 1. For numbers of both "
        "signs use MeanSquaredError()."
    )
    with pytest.raises(dl.DataError, match=re.escape(message)):
        loss.value_and_grad(np.ones((3, 1)), [[0], [-2], [1]])
    with pytest.raises(dl.ShapeError, match=r"got \(3,\)\. Use target\.reshape\(-1, 1\)\."):
        loss.value_and_grad(np.ones((3, 1)), [0, 2, 1])


def test_negative_rates_are_refused():
    message = (
        "Poisson(log_input=False): expected rates of at least 0, got -0.5. Add Softplus() as the "
        "last layer, or use Poisson(), for which predictions are logarithms of rates."
    )
    with pytest.raises(dl.DataError, match=re.escape(message)):
        RATE.value_and_grad(np.array([[-0.5], [2.0]]), [[0], [1]])
    assert LOG.value_and_grad(np.array([[-0.5], [2.0]]), [[0], [1]])


@pytest.mark.parametrize("last", [dl.ReLU, dl.Softplus])
def test_layers_that_give_rates_do_not_go_with_logarithms(last):
    model = dl.Sequential([dl.Dense(1), last()]).build((2,))
    message = (
        rf"Objective: {last.__name__}\(\) in layer 1 of Sequential gives no negative numbers, but "
        rf"Poisson\(\) expects logarithms of rates, .* Remove {last.__name__}\(\), or use Poisson\("
    )
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Objective(model, LOG)
    value, _ = dl.Objective(model, RATE).value_and_grad(np.ones((2, 2), np.float32), [[1], [0]])
    assert np.isfinite(value)


def test_dense_outputs_are_no_rates():
    with pytest.raises(dl.ArgumentError, match=r"gives numbers of both signs, .* Add Softplus\(\)"):
        dl.Objective(dl.Dense(1).build((2,)), RATE)
