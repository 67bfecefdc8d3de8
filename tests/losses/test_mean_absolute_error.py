import numpy as np

import minidl as dl

MAE = dl.MeanAbsoluteError()


def test_by_hand():
    # row 0: (1 + 2) / 2 = 1.5, row 1: (0 + 3) / 2 = 1.5; gradient sgn(p - y) / (M N), M = N = 2
    value, gradient = MAE.value_and_grad(np.array([[1.0, -2.0], [5.0, -1.0]]), [[0, 0], [5, 2]])
    assert value == 1.5
    np.testing.assert_array_equal(gradient, [[0.25, -0.25], [0, -0.25]])


def test_a_fit_of_a_constant_finds_the_median():
    y = np.array([[0.0], [1.0], [2.0], [3.0], [100.0]])
    model = dl.Dense(1).build((1,), rng=0, dtype=np.float64)
    optimizer = dl.SGD(lambda step: 0.5 / (1 + step / 20))
    dl.Trainer(model, MAE, optimizer).fit(np.zeros((5, 1)), y, epochs=400, batch_size=5)
    assert abs(model.bias[0] - 2) < 0.05


def test_metrics_get_the_values():
    values = np.array([[0.5], [2.0]])
    assert MAE.predicted_labels(values) is values
    assert MAE.true_labels(values) is values
