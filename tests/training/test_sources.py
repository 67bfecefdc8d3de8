"""Where batches come from: the same training from arrays, files and sparse rows."""

import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl
from minidl import reading

RNG = np.random.default_rng(0)
X = RNG.random((90, 12), dtype=np.float32)
Y = RNG.integers(0, 3, 90)


def make(model=None, **options):
    if model is None:
        model = dl.Sequential([dl.Dense(5), dl.ReLU(), dl.Dense(3), dl.Softmax()])
        model = model.build((12,), rng=0)
    return dl.Trainer(
        model, dl.CrossEntropy(), dl.SGD(0.1), rng=0, metrics=[dl.accuracy], **options
    )


def fitted(*data, **options):
    trainer = make()
    options = {"epochs": 2, "batch_size": 16} | options
    return trainer.fit(*data, **options), trainer.model.params


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 12 * 4 * 20)  # 20 rows
    monkeypatch.setattr(reading, "HELD_BYTES", 2**20)

    def write(x, mode="r"):
        np.save(tmp_path / "x.npy", x)
        return np.load(tmp_path / "x.npy", mmap_mode=mode)

    return write


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ">f4"], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": False},
        {"batch_size": 1000},
        {"validation_split": 0.3},
        {"validation_split": 0.3, "shuffle": False},
        {"sample_weight": 0.5 + Y, "class_weight": {1: 2.0}},
    ],
    ids=lambda options: " ".join(options) or "shuffled",
)
def test_a_mapped_array_trains_as_in_memory(mapped, dtype, options):
    x = X.astype(dtype)
    memory, expected = fitted(x.astype(np.float32), Y, **options)
    file, params = fitted(mapped(x), Y, **options)
    np.testing.assert_array_equal(params, expected)
    assert list(file) == list(memory)
    for name in set(file) - {"seconds"}:  # float32 sums of losses: in stretches, or of all rows
        np.testing.assert_allclose(file[name], memory[name], rtol=1e-6)


def test_parts_of_a_mapped_array_train_as_in_memory(mapped):
    x = mapped(np.repeat(np.c_[X, X], 2, axis=0))
    _, expected = fitted(X, Y)
    for part in (x[::2, :12], x[1::2, 12:], x[::2, :12].copy(order="F")):
        np.testing.assert_array_equal(fitted(part, Y)[1], expected)


def test_a_mapped_array_is_evaluated_as_in_memory(mapped):
    trainer = make()
    expected = trainer.evaluate(X, Y, sample_weight=1.0 + Y)
    found = trainer.evaluate(mapped(X.astype(np.float64)), Y, sample_weight=1.0 + Y)
    assert found == pytest.approx(expected, rel=1e-6)
    validated = make().fit(X, Y, epochs=1, validation_data=(mapped(X), Y))
    expected = make().fit(X, Y, epochs=1, validation_data=(X, Y))
    assert validated["val_loss"][0] == pytest.approx(expected["val_loss"][0], rel=1e-6)


@pytest.mark.parametrize("batch_size", [None, 7, 90, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mapped_array_is_predicted_as_in_memory(mapped, batch_size, dtype):
    model = make().model
    x = mapped(X.astype(dtype), "r+")
    found = model.predict(x, batch_size)
    np.testing.assert_array_equal(found, model.predict(X, batch_size), strict=True)
    for row, column in ((77, 5), (0, 3)):  # with 20 rows at a time
        x[:] = X
        x[row, column] = np.nan
        with pytest.raises(dl.DataError, match=f"x has NaN in row {row}, column {column}"):
            model.predict(x, batch_size)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_wrong_mapped_data_is_not_predicted(mapped, batch_size):
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, 12\), got \(90, 11\)"):
        make().model.predict(mapped(X[:, :11]), batch_size)
    with pytest.raises(dl.DTypeError, match="expected dtype float32, got uint8"):
        make().model.predict(mapped((X * 255).astype(np.uint8)), batch_size)


@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("steps", [False, True], ids=["a sample", "a step"])
def test_mapped_indices_and_masks(mapped, padding, steps):
    tokens = RNG.integers(0, 4, (40, 6))
    labels = RNG.integers(0, 3, (40, 6) if steps else 40)
    params = []
    for x in (tokens, mapped(tokens)):
        layers = [dl.Embedding(4, 5, padding_index=padding), dl.LSTM(3, return_sequences=steps)]
        model = dl.Sequential([*layers, dl.Dense(3), dl.Softmax()]).build((6,), rng=0)
        trainer = make(model)
        trainer.fit(x, labels, epochs=2, batch_size=8)
        params.append(model.params.copy())
    np.testing.assert_array_equal(*params)


def test_rows_of_a_mapped_split_are_numbered_as_in_the_data(mapped):
    x = X.copy()
    x[17, 5] = np.nan
    for split in (0.2, 0.8):
        with pytest.raises(dl.DataError, match="x has NaN in row 17, column 5"):
            make().fit(mapped(x), Y, epochs=1, batch_size=8, validation_split=split)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :11], dl.ShapeError, "expected input of shape (N, 12), got (90, 11)"),
        (X[:50], dl.ShapeError, "x has 50 rows and y has 90"),
        ((X * 255).astype(np.uint8), dl.DTypeError, "expected dtype float32, got uint8. Convert"),
        (X > 0.5, dl.DTypeError, "got bool"),
    ],
)
def test_wrong_mapped_data_is_refused_as_in_memory(mapped, x, error, message):
    for data in (x, mapped(x)):
        with pytest.raises(error, match=re.escape(message)):
            make().fit(data, Y, epochs=1)


@pytest.mark.parametrize("shuffle", [True, False])
def test_all_kinds_of_batches_train_the_same(mapped, shuffle):
    options = {"batch_size": 16, "rng": 4, "shuffle": shuffle}
    _, expected = fitted(dl.batches(X, Y, **options))
    samples = list(zip(X, Y, strict=True))
    sources = {
        "again": dl.batches(X, Y, **options),
        "mapped": dl.batches(mapped(X), Y, **options),
        "samples": dl.batches(samples, **options),
        "ahead": dl.prefetch(dl.batches(X, Y, **options)),
    }
    for name, source in sources.items():
        np.testing.assert_array_equal(fitted(source)[1], expected, err_msg=name)
    _, sparse = fitted(dl.batches(sp.csr_array(X), Y, **options))
    np.testing.assert_allclose(sparse, expected, rtol=1e-5, atol=1e-7)


def test_bytes_in_a_file_train_through_a_transform(mapped):
    pixels = (X * 255).astype(np.uint8)
    expected = fitted(dl.batches(pixels / np.float32(255), Y, batch_size=16, rng=0))[1]
    for scaled in (lambda x, y: (x / np.float32(255), y), lambda x, y: (x / 255, y)):
        source = dl.batches(mapped(pixels), Y, batch_size=16, rng=0, transform=scaled)
        assert {xb.dtype.kind for xb, _ in source} == {"f"}
        params = fitted(dl.batches(mapped(pixels), Y, batch_size=16, rng=0, transform=scaled))[1]
        assert params.dtype == np.float32
        np.testing.assert_allclose(params, expected, rtol=1e-6, atol=1e-7)
    with pytest.raises(dl.DTypeError, match="expected dtype float32, got uint8"):
        fitted(dl.batches(mapped(pixels), Y, batch_size=16))


def test_targets_may_be_mapped_too(mapped, tmp_path):
    np.save(tmp_path / "y.npy", Y)
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    np.testing.assert_array_equal(fitted(X, y)[1], fitted(X, Y)[1])
    options = {"batch_size": 16, "rng": 0}
    from_file = fitted(dl.batches(mapped(X), y, **options))[1]
    np.testing.assert_array_equal(from_file, fitted(dl.batches(X, Y, **options))[1])


@pytest.mark.parametrize(
    ("source", "got"),
    [
        (dl.batches(X, batch_size=4), "got tuple of 1."),
        ((X, Y), "got ndarray."),
        (X.tolist(), "got list of 12."),
        ([5], "got int."),
    ],
)
def test_what_is_no_batch_is_explained(source, got):
    message = f"batch 0 must be a tuple (x, y) or (x, y, sample_weight), {got} Arrays are no source"
    with pytest.raises(dl.DataError, match=re.escape(message)):
        make().fit(source, epochs=1)


def test_weights_are_of_classes_that_there_are():
    one = dl.Sequential([dl.Dense(1), dl.Sigmoid()]).build((12,), rng=0)
    binary = dl.Trainer(one, dl.BinaryCrossEntropy(), dl.SGD(0.1), rng=0)
    yes = (Y == 1)[:, np.newaxis]
    for data in ((X, yes), ([(X, yes)],)):
        binary.fit(*data, epochs=1, class_weight={0: 2.0, 1: 3.0})
        with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.1 to weights"):
            binary.fit(*data, epochs=1, class_weight={2: 1.0})
    steps = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((6, 2), rng=0)
    x, y = X.reshape(90, 6, 2), np.repeat(Y[:, np.newaxis], 6, axis=1)
    for model, *data in ((None, X, Y), (None, [(X, Y)]), (steps, x, y), (steps, [(x, y)])):
        trainer = make(model)
        trainer.fit(*data, epochs=1, class_weight={2: 1.0})
        with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.2 to weights"):
            trainer.fit(*data, epochs=1, class_weight={3: 1.0})


def test_targets_beside_a_source_are_refused():
    for source in (dl.batches(X, Y, batch_size=4), dl.prefetch([(X, Y)])):
        kind = type(source).__name__
        message = f"fit: y goes with arrays; the {kind} given as x is a source of batches (x, y)."
        with pytest.raises(dl.ArgumentError, match=re.escape(message)):
            make().fit(source, Y, epochs=1)
        with pytest.raises(dl.DTypeError, match=r"Of a source of batches: np\.concatenate\(\["):
            make().model.predict(source)


def test_each_batch_of_a_source_is_checked():
    good, bad = (X[:4], Y[:4]), (X[:4], Y[:4] + 3)
    with pytest.raises(dl.DataError, match=r"labels must be in 0\.\.2"):
        make().fit([good, bad], epochs=1)


def test_a_source_tells_its_length_if_it_knows_it():
    class Source:
        def __iter__(self):
            return iter([(X, Y)])

    trainer = make()
    trainer.fit(Source(), epochs=1)
    assert trainer.steps_per_epoch is None
    trainer.fit(dl.prefetch(Source()), epochs=1)
    assert trainer.steps_per_epoch is None
    trainer.fit(dl.prefetch([(X, Y)] * 3), epochs=1)
    assert trainer.steps_per_epoch == 3


MEMORY = """
import sys
import numpy as np
import minidl as dl

def peak():  # of this process; ru_maxrss would be that of its parent, too
    lines = dict(line.split(":") for line in open("/proc/self/status"))
    return int(lines["VmHWM"].split()[0])

x = np.load(sys.argv[1], mmap_mode="r")
y = np.arange(len(x)) % 4
model = dl.Sequential([dl.Dense(4), dl.Softmax()]).build((2048,), rng=0)
trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)

def run(x, y):
    trainer.fit(x, y, epochs=1, batch_size=256, validation_split=0.1)
    trainer.fit(x, y, epochs=1, batch_size=256, shuffle=False)
    trainer.fit(dl.batches(x, y, batch_size=256, rng=0), epochs=1)
    trainer.evaluate(dl.prefetch(dl.batches(x, y, batch_size=256, shuffle=False)))
    trainer.fit(x[::2], y[::2], epochs=1, batch_size=256)
    model.predict(x)

run(np.zeros((2048, 2048), np.float32), y[:2048])  # so that all modules are there
before = peak()
run(x, y)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of memory")
def test_a_file_needs_no_memory_of_its_size(tmp_path):
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (2**14, 2048))
    x[:, ::400] = 0.5  # something in each page of 256 MiB
    x.flush()
    del x
    command = [sys.executable, "-c", MEMORY, str(tmp_path / "x.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 64 * 1024  # kB
