"""Training data may be frames of pandas, as docs/build/data.md says."""

import numpy as np
import pandas as pd

import minidl as dl


def test_a_frame_trains_as_its_array_does():
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = (x[:, 0] > 0).astype(int)
    backwards = range(60)[::-1]  # rows count by position, not by their names
    found = []
    for rows, labels in (
        (x, y),
        (pd.DataFrame(x, backwards, list("abc")), pd.Series(y, backwards)),
    ):
        layers = [dl.Standardize().adapt(rows), dl.Dense(2), dl.Softmax()]
        model = dl.Sequential(layers).build((3,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        trainer.fit(rows, labels, epochs=2, validation_split=0.2)
        found.append((model.predict(rows), trainer.evaluate(rows, labels)["loss"]))
    (expected, expected_loss), (predicted, loss) = found
    np.testing.assert_array_equal(predicted, expected)
    assert loss == expected_loss
