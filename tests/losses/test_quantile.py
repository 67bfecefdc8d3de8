import re

import numpy as np
import pytest

import minidl as dl


def test_by_hand():
    # y - p = 2, -1, 0 with q = 3/4: 3/2, 1/4, 0; gradients -3/4, 1/4, 0; N = 3
    value, gradient = dl.Quantile(0.75).value_and_grad(np.ones((3, 1)), [[3], [0], [1]])
    assert value == 1.75 / 3
    np.testing.assert_array_equal(gradient, [[-0.25], [0.25 / 3], [0]])


def test_several_quantiles_by_hand():
    # y = 2: for q = 1/4 the prediction 0 is 2 too low, 1/2; for q = 1/2 the prediction 3 is 1 too
    # high, 1/2; gradients -1/4 and 1/2, over M = 2
    value, gradient = dl.Quantile([0.25, 0.5]).value_and_grad(np.array([[0.0, 3.0]]), [[2]])
    assert value == 0.5
    np.testing.assert_array_equal(gradient, [[-0.125, 0.25]])


def test_the_median_is_half_the_absolute_error():
    rng = np.random.default_rng(0)
    prediction, target = rng.normal(size=(2, 4, 3))
    value, gradient = dl.Quantile(0.5).value_and_grad(prediction, target)
    expected, other = dl.MeanAbsoluteError().value_and_grad(prediction, target)
    assert 2 * value == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(2 * gradient, other, rtol=1e-15)


def test_a_fit_of_constants_finds_the_quantiles():
    y = np.random.default_rng(0).normal(size=(1000, 1))
    model = dl.Dense(3).build((1,), rng=0, dtype=np.float64)
    optimizer = dl.SGD(lambda step: 10.0 / (1 + step / 20))
    trainer = dl.Trainer(model, dl.Quantile([0.1, 0.5, 0.9]), optimizer)
    trainer.fit(np.zeros((1000, 1)), y, epochs=400, batch_size=1000)
    np.testing.assert_allclose(model.bias, np.quantile(y, [0.1, 0.5, 0.9]), atol=0.03)


def test_metrics_get_predictions_and_the_values_they_stand_for():
    shapes = []

    def coverage(y_true, y_pred):
        shapes.append((y_true.shape, y_pred.shape))
        return float(((y_pred[:, :1] <= y_true) & (y_true <= y_pred[:, 1:])).mean())

    model = dl.Dense(2).build((1,), dtype=np.float64)
    model.bias = [0.0, 2.0]
    trainer = dl.Trainer(model, dl.Quantile((0.1, 0.9)), dl.SGD(0.1), metrics=[coverage])
    values = trainer.evaluate(np.zeros((4, 1)), np.array([[1.0], [2.0], [3.0], [-1.0]]))
    assert values["coverage"] == 0.5
    assert shapes == [((4, 1), (4, 2))]


@pytest.mark.parametrize("given", [[0.1, 0.9], (0.1, 0.9), np.array([0.1, 0.9])], ids=repr)
def test_quantiles_are_kept_as_python_numbers(given):
    assert repr(dl.Quantile(given)) == "Quantile((0.1, 0.9))"
    assert repr(dl.Quantile(np.float64(0.5))) == "Quantile(0.5)"
    assert repr(dl.Quantile([0.5])) == "Quantile((0.5,))"


@pytest.mark.parametrize("wrong", [1.0, -0.1, 90, "0.5", None, [0.5, 1.5], [[0.1]], ["0.1"]])
def test_quantiles_are_between_0_and_1(wrong):
    with pytest.raises(dl.ArgumentError, match=r"^Quantile: quantile must be a number in \[0, 1\)"):
        dl.Quantile(wrong)


def test_the_ends_are_no_quantiles():
    for wrong in (0.0, [0.5, 0]):
        message = f"quantile must be above 0 and below 1, got {wrong}."
        with pytest.raises(dl.ArgumentError, match=re.escape(message)):
            dl.Quantile(wrong)
    with pytest.raises(dl.ArgumentError, match="must not be an empty list"):
        dl.Quantile([])


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.zeros((4, 3)), "shape (4, 1), one value for all 3 outputs, got (4, 3)."),
        (np.zeros(4), "one value for all 3 outputs, got (4,). Use target.reshape(-1, 1)."),
        (np.zeros((3, 1)), "got (3, 1). Every sample needs one target."),
    ],
)
def test_several_quantiles_are_of_one_value(target, message):
    with pytest.raises(dl.ShapeError, match=re.escape(message) + "$"):
        dl.Quantile([0.1, 0.5, 0.9]).value_and_grad(np.zeros((4, 3)), target)


@pytest.mark.parametrize("outputs", [1, 4])
def test_several_quantiles_need_one_output_each(outputs):
    message = re.escape(
        "expected predictions of shape (N, 3), one output for each quantile, got "
        f"(N, {outputs}). The last layer needs 3 outputs: Dense(3)."
    )
    loss, model = dl.Quantile([0.1, 0.5, 0.9]), dl.Dense(outputs).build((2,))
    with pytest.raises(dl.ShapeError, match=message):
        loss.value_and_grad(np.zeros((4, outputs)), np.zeros((4, 1)))
    with pytest.raises(dl.ShapeError, match=message):
        dl.Objective(model, loss)
