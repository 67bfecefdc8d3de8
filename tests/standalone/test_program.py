"""From a model to steps, and from steps to memory."""

import numpy as np
import pytest
from standalone.random_networks import random_network

import minidl as dl
from minidl.standalone.c_functions import C_FUNCTIONS
from minidl.standalone.c_prediction import IN_PLACE
from minidl.standalone.formulas import FORMULAS
from minidl.standalone.memory import places_of
from minidl.standalone.translation import program_of


def translated(*layers, shape=(4,)):
    """A model whose batch norms have learned something, as a program; and its functions."""
    model = dl.Sequential(layers).build(shape, rng=0)
    rng = np.random.default_rng(1)
    for layer in model.walk():
        if isinstance(layer, dl.BatchNorm):
            layer.running_mean = rng.normal(size=layer.running_mean.shape)
            layer.running_variance = rng.uniform(0.1, 5, layer.running_mean.shape)
            layer.gamma, layer.beta = rng.normal(size=(2, *layer.running_mean.shape))
    program = program_of(model, "test", FORMULAS)
    x = rng.normal(size=(5, *shape)).astype(np.float32)
    np.testing.assert_allclose(program.run(x), model(x), rtol=1e-4, atol=1e-5)
    return [step.function for step in program.steps]


def test_batch_norm_is_folded_into_the_layer_before_it():
    assert translated(dl.Dense(3), dl.BatchNorm(), dl.ReLU()) == ["dense", "relu"]
    assert translated(dl.Dense(3, use_bias=False), dl.Dropout(0.1), dl.BatchNorm()) == ["dense"]
    assert translated(dl.Sequential([dl.Dense(3)]), dl.Sequential([dl.BatchNorm()])) == ["dense"]
    assert translated(dl.Dense(3), dl.BatchNorm(), dl.BatchNorm()) == ["dense", "normalize"]
    assert translated(dl.Conv2D(3, 2, groups=1), dl.BatchNorm(), shape=(3, 3, 2)) == ["conv2d"]
    assert translated(dl.Conv1D(3, 2), dl.BatchNorm(), shape=(3, 2)) == ["conv1d"]


def test_batch_norm_elsewhere_scales_and_shifts():
    assert translated(dl.BatchNorm(), dl.Dense(2)) == ["normalize", "dense"]
    assert translated(dl.Dense(3), dl.ReLU(), dl.BatchNorm()) == ["dense", "relu", "normalize"]
    block = dl.Residual(dl.BatchNorm())  # the dense layer's output is needed as it is, too
    assert translated(dl.Dense(3), block) == ["dense", "normalize", "add"]


def test_noise_is_left_out():
    noise = [dl.Dropout(0.5), dl.GaussianNoise(0.5), dl.Dropout(0.1)]
    assert translated(*noise) == []
    assert translated(dl.Residual(dl.Dropout(0.5))) == ["add"]


def test_large_images_pass_a_few_at_a_time():
    def rows(*layers, shape):
        model = dl.Sequential(layers).build(shape)
        return program_of(model, "test", FORMULAS).rows_at_a_time

    assert rows(dl.Dense(2), shape=(4,)) == 256
    grown = dl.UpSampling2D(100), dl.GlobalMaxPool2D()  # 160,000 numbers in between
    assert rows(*grown, shape=(4, 4, 1)) == 2**21 // 160_000
    assert rows(*map(dl.Layer.detached_copy, grown), shape=(40, 40, 1)) == 1


def test_the_mean_of_many_pixels():
    x = np.full((1, 256, 256, 2), [0.1, 100.1], np.float32)
    y = program_of(dl.GlobalAveragePool2D().build(x.shape[1:]), "test", FORMULAS).run(x)
    np.testing.assert_allclose(y, [[0.1, 100.1]], rtol=1e-5)


def test_every_c_function_has_a_formula():
    assert C_FUNCTIONS.keys() <= FORMULAS.keys()


def test_values_in_the_workspace_share_memory():
    model = dl.Sequential([layer for _ in range(9) for layer in (dl.Dense(10), dl.Tanh())])
    places = places_of(program_of(model.build((10,)), "test", C_FUNCTIONS), IN_PLACE)
    assert places.size == 20  # what a layer reads and what it writes


@pytest.mark.parametrize("seed", range(60, 90))
def test_no_value_is_overwritten_before_its_last_use(seed):
    model, x = random_network(seed)
    program = program_of(model, "test", C_FUNCTIONS)
    places = places_of(program, IN_PLACE)
    memory = {"x": np.zeros(program.size(0)), "y": np.zeros(program.size(program.result))}
    memory["work"] = np.full(places.size, np.nan)

    def numbers(value):
        owner = places.owners[value]
        if owner == 0:
            return memory["x"]
        if owner == places.owners[program.result]:
            return memory["y"]
        return memory["work"][places.offsets[owner] :][: program.size(value)]

    memory["x"][...] = x[0].ravel()
    for index, step in enumerate(program.steps, 1):
        inputs = [numbers(v).reshape(1, *program.shape(v)).astype(np.float32) for v in step.inputs]
        numbers(index)[...] = FORMULAS[step.function](
            *inputs, **step.arrays, **step.numbers
        ).ravel()
    np.testing.assert_array_equal(memory["x"], x[0].ravel())
    np.testing.assert_array_equal(numbers(program.result), program.run(x[:1]).ravel())
