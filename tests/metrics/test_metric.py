import dataclasses
import re
from functools import partial

import numpy as np
import pytest

import minidl as dl


class Scorer:
    def __call__(self, y_true, y_pred):
        return 0.5


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (dl.accuracy, "accuracy"),
        (Scorer(), "Scorer"),
        (partial(dl.accuracy), "accuracy"),
        (partial(dl.f1_score, average="micro"), "f1_score_micro"),
        (partial(partial(Scorer(), beta=0.5), average="macro"), "Scorer_beta0.5_macro"),
    ],
)
def test_a_metric_is_named_after_its_function(function, name):
    assert dl.Metric(function).name == name
    assert dl.Metric(function, name="mine").name == "mine"
    assert dl.Metric(function).needs == "labels"


@pytest.mark.parametrize("function", [dl.roc_auc, dl.top_k_accuracy])
def test_a_function_says_that_it_needs_probabilities(function):
    assert dl.Metric(function).needs == "probabilities"
    assert dl.Metric(partial(function, k=3)).needs == "probabilities"
    assert dl.Metric(function, needs="labels").needs == "labels"


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_trainer_asks_for_labels_at_probability_one_half(outputs, from_logits):
    layers = [dl.Dense(outputs, weight_initializer=dl.Ones())]
    model = dl.Sequential(layers if from_logits else [*layers, dl.Sigmoid()]).build((1,))
    loss = dl.BinaryCrossEntropy(from_logits=from_logits)
    trainer = dl.Trainer(model, loss, dl.SGD(0.1), metrics=[dl.accuracy])
    x = np.array([[-2.0], [-0.2], [0.2], [0.4], [2.0]])  # also the logits
    assert trainer.evaluate(x, np.repeat(x > 0, outputs, axis=1))["accuracy"] == 1


def test_a_metric_is_a_value():
    assert dl.Metric(dl.accuracy) == dl.Metric(dl.accuracy, name="accuracy")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        dl.Metric(dl.accuracy).name = "other"


@pytest.mark.parametrize("function", [0.5, "accuracy", None], ids=str)
def test_a_metric_needs_a_function(function):
    message = re.escape(f"expected a function (y_true, y_pred) -> float, got {function!r}")
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.Metric(function)


def test_a_metric_needs_labels_or_probabilities():
    with pytest.raises(dl.ArgumentError, match="must be 'labels' or 'probabilities', got 'logits'"):
        dl.Metric(dl.accuracy, needs="logits")
    unclear = partial(Scorer())
    unclear.func.needs = "logits"
    with pytest.raises(dl.ArgumentError, match="must be 'labels' or 'probabilities', got 'logits'"):
        dl.Metric(unclear)
