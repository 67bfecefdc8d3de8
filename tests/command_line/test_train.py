"""`minidl train`: outputs, bits, Ctrl-C, going on, and every kind of data."""

import csv
import signal
import subprocess
import sys

import numpy as np
import pytest

import minidl as dl

CONFIG = """
optimizer = { type = "SGD", learning_rate = 0.1, momentum = 0.9 }
[model]
layers = [{ type = "Dense", units = 8 }, "ReLU", { type = "Dropout", rate = 0.1 },
          { type = "Dense", units = 10 }, "Softmax"]
seed = 3
[data]
source = "synthetic_digits"
rows = 120
validation_split = 0.25
[training]
epochs = 2
batch_size = 16
metrics = ["accuracy"]
[output]
model = "made/digits.safetensors"
"""
NOISE = ("rows = 120", 'rows = 120\ntransforms = [{ type = "RandomNoise", deviation = 0.1 }]')


@pytest.fixture
def config(tmp_path):
    """A function that writes the config with some changes and returns its path."""

    def config(*changes, text=CONFIG):
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return config


@pytest.fixture
def params(run, config, tmp_path):
    """A function that trains with some changes and returns the parameters."""

    def params(*changes, text=CONFIG):
        found = run("train", config(*changes, text=text), "--force")
        assert found.code == 0, found.err
        return dl.load(tmp_path / "made" / "digits.safetensors").params.copy()

    return params


def test_results_on_stdout_and_progress_on_stderr(run, config, tmp_path):
    code, out, err = run("train", config())
    assert code == 0
    lines = out.splitlines()
    names = ["epochs", "val_loss", "val_accuracy", "test_loss", "test_accuracy", "written"]
    assert [line.partition(": ")[0] for line in lines] == names
    assert lines[-1] == f"written: {tmp_path / 'made' / 'digits.safetensors'}"
    assert "120 synthetic digits, drawn: 90 rows to train on, 30 held out" in err
    assert "loss: CrossEntropy()" in err  # it follows from the model
    assert "0 Dense(8)" in err
    assert "epoch 2/2  loss" in err


@pytest.mark.parametrize("noise", [False, True])
def test_it_is_what_python_would_do(params, noise):
    x, y = dl.synthetic_digits(120, rng=7)
    order = np.random.default_rng([7, 120]).permutation(120)[30:]
    layers = [dl.Dense(8), dl.ReLU(), dl.Dropout(0.1), dl.Dense(10), dl.Softmax()]
    model = dl.Sequential(layers).build((784,), rng=3)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1, momentum=0.9), rng=7)
    changes = [("epochs = 2", "epochs = 2\nseed = 7")]
    if noise:
        changes += [NOISE]
        seed = int(np.random.SeedSequence(7).generate_state(1)[0])
        transform = dl.RandomNoise(0.1, rng=seed)
        source = dl.batches(x[order], y[order], batch_size=16, rng=7, transform=transform)
        trainer.fit(source, epochs=2)
    else:
        trainer.fit(x[order], y[order], epochs=2, batch_size=16)
    np.testing.assert_array_equal(params(*changes), model.params)


@pytest.mark.parametrize(
    "changes",
    [[], [NOISE]],
    ids=["arrays", "transforms"],
)
def test_two_runs_give_the_same_bits(params, changes):
    first = params(*changes)
    np.testing.assert_array_equal(params(*changes), first)
    seeds = ("seed = 3", "seed = 4"), ("epochs = 2", "epochs = 2\nseed = 1")
    for seed in seeds:
        assert (params(*changes, seed) != first).mean() > 0.5


def test_all_outputs(run, config, tmp_path):
    more = 'safetensors"\nhistory = "h.csv"\nplot = "p.svg"\ncheckpoint = "run"'
    assert run("train", config(('safetensors"', more))).code == 0
    rows = list(csv.DictReader((tmp_path / "h.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert "val_accuracy" in rows[0]
    assert "<svg" in (tmp_path / "p.svg").read_text()
    last = dl.load(tmp_path / "run" / "last.safetensors")
    model = dl.load(tmp_path / "made" / "digits.safetensors")
    np.testing.assert_array_equal(last.params, model.params)


def test_resuming_is_exact(run, config, tmp_path):
    checkpoint = ('safetensors"', 'safetensors"\nhistory = "h.csv"\ncheckpoint = "run"')
    four = config(checkpoint, ("epochs = 2", "epochs = 4"))
    assert run("train", four).code == 0
    whole = (tmp_path / "made" / "digits.safetensors").read_bytes()
    assert run("train", config(checkpoint), "--force").code == 0
    found = run("train", config(checkpoint, ("epochs = 2", "epochs = 4")), "--resume")
    assert found.code == 0
    assert found.out.startswith("epochs: 4\n")
    assert (tmp_path / "made" / "digits.safetensors").read_bytes() == whole
    assert len((tmp_path / "h.csv").read_text().splitlines()) == 5


def test_resuming_with_other_settings_is_an_error(run, fails, config):
    checkpoint = ('safetensors"', 'safetensors"\ncheckpoint = "run"')
    run("train", config(checkpoint))
    message = fails("train", config(checkpoint, ("momentum = 0.9", "momentum = 0.8")), "--resume")
    assert "momentum=0.9 there, " in message
    message = fails("train", config(checkpoint, ("units = 8", "units = 9")), "--resume")
    assert "(784, 8) in " in message


def test_nothing_is_lost_silently(run, fails, config, tmp_path):
    checkpoint = ('safetensors"', 'safetensors"\ncheckpoint = "run"')
    path = config()
    run("train", path)
    old = (tmp_path / "made" / "digits.safetensors").read_bytes()
    message = fails("train", path)
    assert message.startswith(f"{path}, line 16: output.model: ")
    assert message.endswith("exists already. --force replaces it.")
    assert (tmp_path / "made" / "digits.safetensors").read_bytes() == old
    assert run("train", path, "--force").code == 0
    message = fails("train", path, "--resume")
    assert message.endswith('output: --resume needs checkpoints: checkpoint = "a folder".')
    path = config(checkpoint)
    message = fails("train", path, "--resume")
    assert f"output.checkpoint: there is no {tmp_path / 'run'} to go on from." in message
    assert message.endswith("Leave out --resume.")
    run("train", path, "--force")
    (tmp_path / "made" / "digits.safetensors").unlink()
    message = fails("train", path)
    assert "output.checkpoint: " in message
    assert "--resume goes on from it, --force anew." in message


def test_ctrl_c_keeps_the_model(config, tmp_path):
    path = config(("epochs = 2", "epochs = 100000"))
    words = [sys.executable, "-m", "minidl", "train", str(path)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as process:
        while not process.stderr.readline().startswith("epoch      2/"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted in epoch" in err
    assert "written: " in out
    assert dl.load(tmp_path / "made" / "digits.safetensors").input_shape == (784,)


REGRESSION = """
loss = "MeanAbsoluteError"
[model]
layers = ["Standardize", { type = "Dense", units = 1, weight_initializer = "Zeros" }]
[optimizer]
type = "Adam"
learning_rate = { type = "CosineDecay", initial = 0.1, steps = 100 }
[data]
source = "t.csv"
target = "y"
divide_by = 2
[training]
epochs = 3
[output]
model = "made/digits.safetensors"
"""


def test_csv_of_numbers(params, tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 2)).round(3)

    def write(scale):
        lines = [f"{a * scale},{b * scale},{a + b}" for a, b in x]
        (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *lines]))

    write(1)
    plain = ('"Standardize", ', "")
    first = params(plain, ("divide_by = 2\n", ""), text=REGRESSION)
    write(2)
    np.testing.assert_array_equal(params(plain, text=REGRESSION), first)
    features = ("divide_by = 2", 'features = ["b"]')
    assert params(features, text=REGRESSION).shape == (2,)


def test_features_are_standardized_by_the_rows_that_are_trained_on(params, tmp_path):
    rows = np.random.default_rng(0).normal(3, 2, size=(50, 3)).round(3)
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(",".join(map(str, r)) for r in rows))
    params(("divide_by = 2", "validation_split = 0.2"), text=REGRESSION)
    order = np.random.default_rng([0, 50]).permutation(50)[10:]
    layer = dl.load(tmp_path / "made" / "digits.safetensors").layers[0]
    np.testing.assert_allclose(layer.mean, rows[order, :2].mean(axis=0), rtol=1e-5)


def test_csv_of_classes(params, tmp_path):
    lines = [f"{i},{'dog' if i > 5 else 'cat'}" for i in range(10)]
    (tmp_path / "t.csv").write_text("\n".join(["a,y", *lines]))
    text = REGRESSION.replace('"MeanAbsoluteError"', '"CrossEntropy"')
    text = text.replace('"Standardize", ', "").replace("units = 1", "units = 2")
    classes = ("divide_by = 2", 'classes = ["dog", "cat"]'), ('"Zeros" }]', '"Zeros" }, "Softmax"]')
    turned = ('["dog", "cat"]', '["cat", "dog"]')
    first, second = params(*classes, text=text), params(*classes, turned, text=text)
    assert first.any()
    np.testing.assert_allclose(first[:2], -second[:2], rtol=1e-5)


def test_npz_of_images(params, tmp_path):
    x, y = dl.synthetic_digits(30, rng=0)
    np.savez(tmp_path / "d.npz", x=(x * 255).astype(np.uint8), y=y)
    text = """
    optimizer = { type = "SGD", learning_rate = 0.1 }
    [model]
    input_shape = [28, 28, 1]
    dtype = "float64"
    layers = [
        { type = "Conv2D", filters = 2, kernel_size = [5, 5], stride = 3 },
        { type = "Residual", body = { type = "Sequential", layers = [
            "LayerNorm",
            { type = "Conv2D", filters = 2, kernel_size = 1, weight_penalty = PENALTY },
        ] } },
        { type = "Parallel", branches = ["GlobalMaxPool2D", "GlobalAveragePool2D"] },
        { type = "Dense", units = 10 }, "LogSoftmax",
    ]
    [data]
    source = "d.npz"
    divide_by = 255
    rows = 20
    [training]
    epochs = 1
    metrics = [{ type = "top_k_accuracy", k = 2 }]
    [[callbacks]]
    type = "EarlyStopping"
    monitor = "top_k_accuracy_k2"
    [[callbacks]]
    type = "CSVLog"
    path = "log.csv"
    [output]
    model = "made/digits.safetensors"
    """
    text = text.replace("PENALTY", '{ type = "L1L2", l1 = 1e-4, l2 = 0.0 }')
    assert params(text=text).dtype == np.float64
    assert "top_k_accuracy_k2" in (tmp_path / "log.csv").read_text()


def test_a_learning_rate_that_diverges_is_explained(fails, config, tmp_path):
    path = config(("learning_rate = 0.1", "learning_rate = 1e30"))
    assert "This step has changed no parameter" in fails("train", path)
    assert not (tmp_path / "made" / "digits.safetensors").exists()


def test_data_without_answers(fails, config, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 4)))
    np.savez(tmp_path / "xy.npz", x=np.zeros((5, 4)), y=np.zeros(4))
    for name, message in (
        ("x.npy", "expected inputs with answers, got no answers. In a .csv file name the column"),
        ("xy.npz", "got 5 inputs and 4 answers."),
    ):
        path = config(('"synthetic_digits"\nrows = 120', f'"{name}"'))
        assert message in fails("train", path)


def test_labels_out_of_range_name_the_section(fails, config):
    path = config(("units = 10", "units = 9"))
    message = fails("train", path)
    assert message.startswith(f"{path}, line 7: data: ")


@pytest.mark.parametrize("name", ["t.csv", "config.toml", "sub/../t.csv"])
def test_what_is_read_is_not_replaced(fails, config, tmp_path, name):
    (tmp_path / "sub").mkdir()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    source = ('source = "synthetic_digits"', 'source = "t.csv"\ntarget = "b"')
    path = config(source, ('safetensors"', f'safetensors"\nhistory = "{name}"'))
    content = (tmp_path / name).read_bytes()
    message = fails("train", path, "--force")
    assert "output.history: " in message
    assert message.endswith("is what is read. Name another file for the output.")
    assert (tmp_path / name).read_bytes() == content
