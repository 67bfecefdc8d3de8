"""What `export_c` writes, compiled with all warnings as errors, and run."""

import numpy as np
import pytest
from cases import CASES
from standalone.compiling import STRICT, compile_and_run, needs_compiler, run
from standalone.random_networks import random_network

import minidl as dl
from minidl.standalone.compiled import run_self_test

pytestmark = needs_compiler

C, CPP = {}, {"compiler": "g++", "language": "-std=c++11"}


def export(folder, models, **options):
    for name, model in models.items():
        dl.export_c(model, folder / f"{name}.h", compiler=None, **options)


def difference(outputs, model, x):
    """The largest difference from the model's outputs, divided by the largest output, or by 1."""
    expected = model.predict(x).reshape(len(x), -1)
    return np.abs(outputs - expected).max() / max(1, np.abs(expected).max())


@pytest.fixture(scope="module")
def networks():
    return {f"n{seed}": random_network(seed) for seed in range(16)}


@pytest.mark.parametrize(
    ("level", "language"), [("-O2", C), ("-O0", CPP)], ids=["C, optimized", "C++"]
)
def test_random_networks(tmp_path, networks, level, language):
    export(tmp_path, {name: model for name, (model, _) in networks.items()})
    inputs = {name: x for name, (_, x) in networks.items()}
    outputs, failures = compile_and_run(tmp_path, inputs, level, **language)
    assert set(failures.values()) == {0}
    worst = {name: difference(outputs[name], model, x) for name, (model, x) in networks.items()}
    assert max(worst.values()) < 1e-5, worst


def test_every_case_under_sanitizers(tmp_path):
    models, inputs = {}, {}
    for index, case in enumerate(CASES.values()):
        model, name = case.build(np.float32), f"case{index}"
        try:
            export(tmp_path, {name: model})
        except dl.ArgumentError:
            continue  # which of them, tests of export_c say
        models[name], inputs[name] = model, case.inputs(3, np.float32)
    assert len(models) > 90
    sanitizers = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    outputs, failures = compile_and_run(tmp_path, inputs, *sanitizers)
    assert set(failures.values()) == {0}
    for name, model in models.items():
        assert difference(outputs[name], model, inputs[name]) < 1e-5, model


def rounded(weight):
    """A weight matrix or kernel as int8 with a scale for each output holds it."""
    scale = np.abs(weight.reshape(-1, weight.shape[-1])).max(axis=0) / 127
    return np.round(weight / scale) * scale


def test_int8_weights(tmp_path):
    convolutions = [dl.Conv2D(4, 3, padding="same", groups=2), dl.Tanh(), dl.Conv2D(3, 2, stride=2)]
    models = {
        "dense": dl.Sequential([dl.Dense(20), dl.GELU(), dl.Dense(3)]).build((15,), rng=0),
        "images": dl.Sequential([*convolutions, dl.Softmax()]).build((6, 5, 2), rng=1),
        "steps": dl.Sequential([dl.Conv1D(5, 3), dl.ReLU(), dl.Dense(2)]).build((8, 4), rng=2),
    }
    inputs = {}
    for name, model in models.items():
        x = np.random.default_rng(3).normal(size=(9, *model.input_shape)).astype(np.float32)
        inputs[name] = x
        report = dl.export_c(model, tmp_path / f"{name}.h", weights="int8", compiler=None, x=x)
        assert 1e-5 < report.largest_difference < 0.05
    outputs, failures = compile_and_run(tmp_path, inputs, "-O2")
    assert set(failures.values()) == {0}
    for name, model in models.items():
        for layer in model.walk():
            if hasattr(layer, "weight"):
                layer.weight = rounded(layer.weight)
        assert difference(outputs[name], model, inputs[name]) < 1e-5


def test_extreme_inputs(tmp_path):
    x = np.array([[-1e30, -1e4, -100, -20, -0.0, 0.0, 1e-30, 20, 100, 1e4, 1e30]], np.float32)
    kinds = [dl.ReLU, dl.LeakyReLU, dl.ELU, dl.SELU, dl.GELU, dl.SiLU, dl.Sigmoid, dl.Tanh]
    kinds += [dl.Softplus, dl.PReLU, dl.Softmax, dl.LogSoftmax, lambda: dl.GELU(approximate=True)]
    models = {f"kind{i}": kind().build((11,)) for i, kind in enumerate(kinds)}
    export(tmp_path, models)
    outputs, _ = compile_and_run(tmp_path, dict.fromkeys(models, x))
    for name, model in models.items():
        np.testing.assert_allclose(
            outputs[name], model(x), rtol=1e-5, atol=1e-7, err_msg=repr(model)
        )


def test_not_a_number_is_not_hidden(tmp_path):
    image = np.zeros((1, 2, 2, 1), np.float32)
    image[0, 0, 1] = np.nan
    layers = [dl.ReLU, dl.LeakyReLU, dl.PReLU, dl.ELU, dl.Softmax, dl.MaxPool2D, dl.GlobalMaxPool2D]
    models = {f"kind{i}": kind().build((2, 2, 1)) for i, kind in enumerate(layers)}
    export(tmp_path, models)
    outputs, _ = compile_and_run(tmp_path, dict.fromkeys(models, image))
    for name, y in outputs.items():
        assert np.isnan(y).any(), models[name]


def test_a_workspace_larger_than_the_stack(tmp_path):
    model = dl.Sequential([dl.UpSampling2D(400), dl.GlobalMaxPool2D()]).build((5, 5, 1))
    x = np.random.default_rng(0).normal(size=(1, 5, 5, 1)).astype(np.float32)
    export(tmp_path, {"net": model}, x=x)  # 16 MB, twice what Linux gives
    outputs, failures = compile_and_run(tmp_path, {"net": x})
    assert failures == {"net": 0}
    assert outputs["net"] == x.max()


def test_the_mean_of_many_pixels(tmp_path):
    x = np.full((1, 256, 256, 2), [0.1, 100.1], np.float32)
    model = dl.GlobalAveragePool2D().build(x.shape[1:])
    export(tmp_path, {"net": model}, x=x)
    outputs, failures = compile_and_run(tmp_path, {"net": x})
    assert failures == {"net": 0}
    np.testing.assert_allclose(outputs["net"], [[0.1, 100.1]], rtol=1e-5)


def test_wrong_outputs_of_the_self_test_are_counted():
    header = "static int net_self_test(void) { return 2; }"
    with pytest.raises(dl.ContractError, match="failed: 2 outputs are wrong by more than the tol"):
        run_self_test(header, "net", "gcc")


def test_two_files_of_a_program_include_the_same_header(tmp_path):
    export(tmp_path, {"net": dl.Sequential([dl.Dense(3), dl.Softmax()]).build((4,), rng=0)})
    (tmp_path / "one.c").write_text('#include "net.h"\nint one(void) { return net_self_test(); }\n')
    (tmp_path / "two.c").write_text(
        '#include "net.h"\n#include "net.h"\nint one(void);\n'
        "int main(void) { return one() + net_self_test(); }\n"
    )
    run(tmp_path, "gcc", "-std=c99", *STRICT, "-o", "both", "one.c", "two.c", "-lm")
    run(tmp_path, "./both")


@pytest.mark.parametrize(("compiler", "end"), [("gcc", "c"), ("g++", "cpp")])
def test_a_header_that_is_not_used_costs_nothing(tmp_path, compiler, end):
    export(tmp_path, {"net": dl.Sequential([dl.Dense(50), dl.ReLU()]).build((40,), rng=0)})
    (tmp_path / f"main.{end}").write_text('#include "net.h"\nint main(void) { return 0; }\n')
    run(tmp_path, compiler, *STRICT, "-O2", "-c", "-o", "main.o", f"main.{end}")
    assert (tmp_path / "main.o").stat().st_size < 4000  # 8,200 bytes of weights are not there


def test_the_self_test_finds_a_changed_weight(tmp_path):
    export(tmp_path, {"net": dl.Sequential([dl.Dense(3, bias_initializer=dl.Ones())]).build((4,))})
    header = tmp_path / "net.h"
    header.write_text(header.read_text().replace("1.0f, 1.0f, 1.0f", "1.0f, 1.001f, 1.0f"))
    _, failures = compile_and_run(tmp_path, {"net": np.zeros((1, 4))})
    assert failures == {"net": 3}  # one output of three rows
