"""How many rows a split holds out."""

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


def fit(rows, split):
    seen = []
    metric = dl.Metric(lambda y_true, y_pred: seen.append(len(y_true)) or 0.0, name="rows")
    model = dl.Dense(3).build((3,), rng=0)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.01), metrics=[metric], rng=0)
    trainer.fit(X[:rows], X[:rows], epochs=1, validation_split=split)
    return seen


@pytest.mark.parametrize(
    ("rows", "split", "parts"),
    [(10, 0.1, [9, 1]), (10, 0.9, [1, 9]), (10, 0.26, [7, 3]), (2, 0.5, [1, 1])],
)
def test_the_fraction_is_held_out(rows, split, parts):
    assert fit(rows, split) == parts


@pytest.mark.parametrize(("rows", "split"), [(10, 0.04), (10, 0.96), (1, 0.5)])
def test_rows_must_be_left_on_both_sides(rows, split):
    with pytest.raises(dl.ArgumentError, match=f"on both sides, got {split} of {rows} rows"):
        fit(rows, split)
