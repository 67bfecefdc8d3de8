import re

import numpy as np
import pytest

import minidl as dl

MSE = dl.MeanSquaredError()


def test_by_hand():
    # row 0: (1 + 4) / 2 = 2.5, row 1: (0 + 9) / 2 = 4.5; gradient 2 (p - y) / (M N), M = N = 2
    value, gradient = MSE.value_and_grad(np.array([[1.0, 2.0], [5.0, -1.0]]), [[0, 0], [5, 2]])
    assert value == 3.5
    np.testing.assert_array_equal(gradient, [[0.5, 1.0], [0.0, -1.5]])


def test_no_error_is_no_loss():
    value, gradient = MSE.value_and_grad(np.ones((2, 3)), np.ones((2, 3)))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_errors_stay_finite(dtype):
    value, gradient = MSE.value_and_grad(np.full((1, 1), 1e4, dtype), [[-1e4]])
    assert value == 4e8
    np.testing.assert_array_equal(gradient, np.full((1, 1), 4e4, dtype))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16])
def test_targets_of_any_real_dtype(dtype):
    prediction = np.array([[0.5], [0.25]])
    value, gradient = MSE.value_and_grad(prediction, np.array([[0], [1]], dtype))
    assert value == (0.25 + 0.5625) / 2
    np.testing.assert_array_equal(gradient, [[0.5], [-0.75]])


WRONG_TARGETS = {
    "vector": (np.zeros(2), dl.ShapeError, "got (2,). Use target.reshape(-1, 1)."),
    "row": (np.zeros((1, 2)), dl.ShapeError, "got (1, 2). Every sample needs one target."),
    "one number": (0.0, dl.ShapeError, "got (). Every sample needs one target."),
    "two outputs": (np.zeros((2, 2)), dl.ShapeError, "outputs and of the targets must be the same"),
    "NaN": ([[0], [np.nan]], dl.DataError, "target has NaN in row 1, column 0."),
    "infinity": ([[np.inf], [0]], dl.DataError, "target has infinity in row 0, column 0."),
    "strings": ([["a"], ["b"]], dl.DataError, "targets must be real numbers, got dtype <U1."),
    "complex": ([[1j], [0]], dl.DataError, "targets must be real numbers, got dtype complex128."),
}


@pytest.mark.parametrize(("target", "error", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_wrong_targets_are_explained(target, error, message):
    with pytest.raises(error, match=rf"^MeanSquaredError\(\): .*{re.escape(message)}"):
        MSE.value_and_grad(np.zeros((2, 1)), target)


def test_labels_of_classes_point_to_cross_entropy():
    with pytest.raises(dl.ShapeError, match=r"got \(2,\)\. If these are labels .* CrossEntropy\.$"):
        MSE.value_and_grad(np.zeros((2, 3)), [0, 2])
    for target in (np.zeros(2), np.zeros((2, 2), int)):
        with pytest.raises(dl.ShapeError, match=r"outputs and of the targets must be the same\.$"):
            MSE.value_and_grad(np.zeros((2, 3)), target)


def test_predictions_without_an_axis_of_outputs_are_refused():
    with pytest.raises(dl.ShapeError, match=re.escape("shape (N, ...), got float64 (2,).")):
        MSE.value_and_grad(np.zeros(2), np.zeros(2))


def test_the_advised_reshape_keeps_the_axes():
    with pytest.raises(dl.ShapeError, match=re.escape("Use target.reshape(-1, 3, 2).")):
        MSE.value_and_grad(np.zeros((2, 3, 2)), np.zeros((2, 6)))


def test_labels_for_metrics_are_the_values_themselves():
    values = np.array([[0.5], [2.0]])
    assert MSE.predicted_labels(values) is values
    assert MSE.true_labels(values) is values
    assert (MSE.activation, MSE.from_logits) == (None, False)
