"""Frozen layers, and copied layers under a new head."""

import copy

import numpy as np
import pytest

import minidl as dl

OPTIMIZERS = {
    "sgd": lambda: dl.SGD(0.1, momentum=0.9, weight_decay=0.01),
    "adam": lambda: dl.Adam(0.01, weight_decay=0.01),
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def data(classes=3):
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, 2.0, size=(96, 4)).astype(np.float32)
    return x, rng.integers(0, classes, 96)


def fit(model, optimizer, epochs=3, classes=3):
    trainer = dl.Trainer(model, dl.CrossEntropy(), optimizer, rng=0)
    trainer.fit(*data(classes), epochs=epochs, batch_size=16)


def base():
    """A trained network with a normalization and a container in it."""
    body = dl.Sequential([dl.Dense(5), dl.BatchNorm(), dl.ReLU()])
    layers = [dl.Standardize().adapt(data()[0]), dl.Dense(6), dl.BatchNorm(), dl.ReLU(), body]
    model = dl.Sequential([*layers, dl.Dense(3), dl.Softmax()]).build((4,), rng=0)
    fit(model, dl.Adam(0.01))
    return model


@each_optimizer
def test_frozen_layers_do_not_move_by_a_bit(make):
    model, optimizer = base(), make()
    for layer in model.layers[1:5]:
        layer.trainable = False
    frozen = [view for layer in model.layers[:5] for view in (layer.params, layer.state)]
    before, head = [view.copy() for view in frozen], model.layers[5].params.copy()
    fit(model, optimizer)
    for view, value in zip(frozen, before, strict=True):
        np.testing.assert_array_equal(view, value)
    assert (model.layers[5].params != head).all()


@each_optimizer
def test_layers_that_are_frozen_later_stop_at_once(make):
    # momentum that was gathered before must not carry them on
    model, optimizer = base(), make()
    fit(model, optimizer)
    model.layers[1].trainable = model.layers[4].trainable = False
    frozen = [model.layers[1].params, model.layers[4].params, model.layers[4].state]
    free = [model.layers[2].params, model.layers[2].state]
    before, free_before = [[view.copy() for view in views] for views in (frozen, free)]
    fit(model, optimizer)
    for view, value in zip(frozen, before, strict=True):
        np.testing.assert_array_equal(view, value)
    for view, value in zip(free, free_before, strict=True):
        assert (view != value).all()


def test_unfrozen_they_move_again():
    model = base()
    model.trainable = False
    before, state = model.params.copy(), model.layers[2].state.copy()
    fit(model, dl.Adam(0.01))
    np.testing.assert_array_equal(model.params, before)
    np.testing.assert_array_equal(model.layers[2].state, state)
    model.trainable = True
    fit(model, dl.Adam(0.01))
    assert (model.params != before).any()
    assert (model.layers[2].state != state).all()


def test_copied_layers_keep_parameters_statistics_and_outputs():
    old, (x, _) = base(), data()
    copied = [copy.deepcopy(layer) for layer in old.layers[:-2]]
    new = dl.Sequential([*copied, dl.Dense(2), dl.Softmax()]).build((4,), rng=7)
    for mine, its in zip(new.layers[:5], old.layers[:5], strict=True):
        np.testing.assert_array_equal(mine.params, its.params)
        np.testing.assert_array_equal(mine.state, its.state)
    np.testing.assert_array_equal(new.forward_to(5, x), old.forward_to(5, x))
    before = old.params.copy(), old.state.copy()
    fit(new, dl.SGD(0.1), classes=2)
    np.testing.assert_array_equal(old.params, before[0])
    np.testing.assert_array_equal(old.state, before[1])


def test_a_copy_of_a_frozen_layer_is_frozen():
    old = base()
    old.layers[4].trainable = False
    new = dl.Sequential([copy.deepcopy(old.layers[4]), dl.Dense(2), dl.Softmax()]).build((6,))
    assert new.layers[0].layers[1].frozen
    assert new.replica().layers[0].layers[1].frozen
    assert not new.layers[1].frozen
