"""`minidl evaluate`: losses that follow from the model, and answers from everywhere."""

import gzip
import json

import numpy as np
import pytest

import minidl as dl

X = np.array([[3, 1, 0], [0, 0, 4], [0, 2, 1], [1, 0, 0]], np.float32)
Y = np.array([0, 2, 1, 2])  # the last one is wrong


def values_of(text):
    return dict(line.split(": ") for line in text.splitlines())


@pytest.fixture
def xy(tmp_path):
    np.savez(tmp_path / "xy.npz", x=X, y=Y)
    return tmp_path / "xy.npz"


def expected(path, loss, y, *metrics, x=X):
    trainer = dl.Trainer(dl.load(path), loss, dl.SGD(0.1), metrics=metrics)
    return trainer.evaluate(x, y)


def test_softmax_means_cross_entropy_and_accuracy(run, classifier, xy):
    code, out, err = run("evaluate", classifier, xy)
    assert code == 0
    assert "note: loss CrossEntropy(), because the model ends in Softmax()" in err
    values = values_of(out)
    assert list(values) == ["data", "rows", "loss_function", "loss", "accuracy"]
    assert (values["data"], values["rows"]) == (str(xy), "4")
    assert values["loss_function"] == "CrossEntropy()"
    found = expected(classifier, dl.CrossEntropy(), Y, dl.accuracy)
    assert float(values["loss"]) == pytest.approx(found["loss"], rel=1e-5)
    assert float(values["accuracy"]) == 0.75


@pytest.mark.parametrize("y", [Y[:, np.newaxis], Y.astype(float), np.eye(3)[Y], Y.astype(np.uint8)])
def test_labels_in_every_form(run, classifier, tmp_path, y):
    np.savez(tmp_path / "xy.npz", x=X, y=y)
    assert values_of(run("evaluate", classifier, tmp_path / "xy.npz").out)["accuracy"] == "0.75"


def test_json(run, classifier, xy):
    values = json.loads(run("evaluate", classifier, xy, "--json").out)
    assert (values["rows"], values["accuracy"]) == (4, 0.75)
    assert values["loss"] == expected(classifier, dl.CrossEntropy(), Y)["loss"]


@pytest.mark.parametrize("y", [np.array([1, 0]), np.array([[1.0], [0.0]]), np.array([True, False])])
def test_sigmoid_means_binary_cross_entropy(run, two_classes, tmp_path, y):
    x = np.array([[2.0], [1.0]])
    np.savez(tmp_path / "xy.npz", x=x, y=y)
    values = values_of(run("evaluate", two_classes, tmp_path / "xy.npz").out)
    assert values["loss_function"] == "BinaryCrossEntropy()"
    assert float(values["accuracy"]) == 0.5
    loss = np.log1p(np.exp([-2.0, 1.0])).mean()
    assert float(values["loss"]) == pytest.approx(loss, rel=1e-5)


def test_anything_else_means_squared_error(run, regressor, tmp_path):
    np.savez(tmp_path / "xy.npz", x=np.array([[1.0, 9], [3, 9], [5, 9]]), y=[1, 2, 5])
    values = values_of(run("evaluate", regressor, tmp_path / "xy.npz").out)
    assert values["loss_function"] == "MeanSquaredError()"
    assert float(values["loss"]) == pytest.approx(1 / 3, rel=1e-5)
    assert float(values["mean_absolute_error"]) == pytest.approx(1 / 3, rel=1e-5)
    assert "r2_score" in values


def test_another_loss(run, fails, regressor, tmp_path):
    np.savez(tmp_path / "xy.npz", x=np.array([[1.0, 9], [3, 9]]), y=[1, 7])
    words = "evaluate", regressor, tmp_path / "xy.npz", "--loss"
    found = run(*words, "MeanAbsoluteError")
    assert found.err == ""
    assert float(values_of(found.out)["loss"]) == 2
    message = fails(*words, "MeanAbsolutError")
    assert message.startswith(
        "--loss: there is no loss 'MeanAbsolutError'. Did you mean 'MeanAbsoluteError'?"
    )
    assert fails(*words, "Quantile").startswith("--loss: Quantile needs 'quantile'")


def test_log_softmax(run, xy, tmp_path):
    dl.Sequential([dl.LogSoftmax()]).build((3,)).save(tmp_path / "m.safetensors")
    values = values_of(run("evaluate", tmp_path / "m.safetensors", xy).out)
    assert values["loss_function"] == "CrossEntropy(from_logits=True)"
    assert values["accuracy"] == "0.75"


def test_answers_in_a_file_of_their_own(run, classifier, tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    idx = bytes([0, 0, 8, 1, 0, 0, 0, 4, *Y.tolist()])
    (tmp_path / "y-ubyte.gz").write_bytes(gzip.compress(idx))
    for labels in ("y.npy", "y-ubyte.gz"):
        out = run("evaluate", classifier, tmp_path / "x.npy", "--labels", tmp_path / labels).out
        assert values_of(out)["accuracy"] == "0.75"


def test_csv(run, classifier, tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{','.join(map(str, x))},{'abc'[y]},{y}" for x, y in zip(X, Y, strict=True)]
    path.write_text("\n".join(["p,q,r,name,number", *rows]))
    features = ["--features", "p,q,r"]
    words = "evaluate", classifier, path, *features, "--target"
    for target in (["number"], ["name", "--classes", "a,b,c"]):
        assert values_of(run(*words, *target).out)["accuracy"] == "0.75"


def test_digits_that_are_drawn_say_so(run, tmp_path):
    model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    model.save(tmp_path / "m.safetensors")
    values = values_of(run("evaluate", tmp_path / "m.safetensors", "synthetic_digits").out)
    assert values["data"] == "1,000 synthetic digits, drawn"


def test_data_sets_and_folders(run, tmp_path, monkeypatch):
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((4,), rng=0)
    model.save(tmp_path / "m.safetensors")
    x, y = np.zeros((5, 4), np.float32), np.zeros(5, np.int64)
    asked = []

    def load(data_dir=None):
        asked.append(data_dir)
        return (None, None), (x, y)

    for name in ("mnist", "fashion_mnist", "kmnist"):
        monkeypatch.setattr(dl, f"load_{name}", load)
        values = values_of(run("evaluate", tmp_path / "m.safetensors", name).out)
        assert (values["data"], values["rows"]) == (f"{name}, test part", "5")
    values = values_of(run("evaluate", tmp_path / "m.safetensors", tmp_path).out)
    assert values["data"] == f"{tmp_path}, MNIST's test part"
    assert asked == [None, None, None, tmp_path]


def test_mistakes(fails, classifier, regressor, xy, tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "t.csv").write_text("a,b,c,d\n1,2,3,0\n")
    message = fails("evaluate", classifier, tmp_path / "x.npy")
    assert "expected inputs with answers, got no answers. Give them: --labels y.npy" in message
    message = fails("evaluate", classifier, tmp_path / "t.csv")
    assert "got no answers. Name the column: --target." in message
    message = fails("evaluate", classifier, tmp_path / "x.npy", "--labels", tmp_path / "no.npy")
    assert message.endswith("no.npy: No such file or directory")
    np.save(tmp_path / "y.npy", Y[:2])
    message = fails("evaluate", classifier, tmp_path / "x.npy", "--labels", tmp_path / "y.npy")
    assert "4" in message
    assert "2" in message
    np.save(tmp_path / "y.npy", Y + 1)
    message = fails("evaluate", classifier, tmp_path / "x.npy", "--labels", tmp_path / "y.npy")
    assert "3" in message
    np.savez(tmp_path / "words.npz", x=X, y=["a", "b", "c", "d"])
    message = fails("evaluate", classifier, tmp_path / "words.npz")
    assert "Number the classes from 0" in message
    assert "load_mnist: expected the files in" in fails("evaluate", classifier, tmp_path)
