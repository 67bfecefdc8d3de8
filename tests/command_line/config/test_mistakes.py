"""What beginners get wrong in a config: each message names the file, the line and the key."""

import pytest

BASE = """[model]
layers = [
    { type = "Dense", units = 10 },
    "ReLU",
    { type = "Dense", units = 10 },
    "Softmax",
]

[loss]
type = "CrossEntropy"

[optimizer]
type = "SGD"
learning_rate = 0.1

[data]
source = "synthetic_digits"
rows = 50
validation_split = 0.2

[training]
epochs = 1
metrics = ["accuracy"]

[[callbacks]]
type = "EarlyStopping"
monitor = "val_accuracy"

[output]
model = "out.safetensors"
"""
RELU, RATE = '"ReLU"', "learning_rate = 0.1"
MISTAKES = [  # what is replaced, by what, and what is said
    (RELU, '"Relu"', "line 4: model.layers[1]: there is no layer 'Relu'. Did you mean 'ReLU'?"),
    (
        RELU,
        "ReLU",
        ": this is not TOML: Invalid value (at line 4, column 5). Texts stand in quotes",
    ),
    (RELU, '"Dense"', "line 4: model.layers[1]: Dense needs 'units': { type = \"Dense\", units = "),
    (RELU, "{ units = 3 }", "line 4: model.layers[1]: the key 'type' is missing."),
    (RELU, "{ type = 3 }", "line 4: model.layers[1].type: expected a text in quotes, got 3."),
    (RELU, f'"{"x" * 999}"', f"there is no layer '{'x' * 79}.... Known: AveragePool2D"),
    (RELU, "7", "line 4: model.layers[1]: expected the name of a layer, or a table with its name"),
    (RELU, '{ type = "Dense", unit = 3 }', "[1].unit: Dense has no argument 'unit'. Did you mean"),
    (RELU, '{ type = "Dense", units = 3, use_bias = 0 }', "[1].use_bias: Dense: use_bias must be"),
    (RELU, '{ type = "ReLU", slope = 1 }', "ReLU has no argument 'slope'. Known: none."),
    (RELU, '{ type = "Dropout", rate = 5 }', "[1].rate: Dropout: rate must be a number in [0, 1)"),
    (RELU, '"Layer"', "there is no layer 'Layer'"),
    (RELU, '"SGD"', "there is no layer 'SGD'"),
    (
        RELU,
        '{ type = "Dense", units = 2, weight_initializer = "HeNorml" }',
        "line 4: model.layers[1].weight_initializer: there is no initializer 'HeNorml'. Did you",
    ),
    (
        RELU,
        '{ type = "Dense", units = 2, weight_initializer = { type = "Normal", std = "big" } }',
        "model.layers[1].weight_initializer.std: Normal: std must be a finite number, got 'big'.",
    ),
    (
        RELU,
        '{ type = "Dense", units = 2, weight_penalty = { type = "L2" } }',
        "model.layers[1].weight_penalty: L2 needs 'strength'",
    ),
    (
        RELU,
        '{ type = "Sequential", layers = [\n"ReLU",\n"Tan" ] }',
        "line 6: model.layers[1].layers[1]: there is no layer 'Tan'. Did you mean 'Tanh'?",
    ),
    (
        RELU,
        '{ type = "Residual", body = { type = "Dense", units = 3 } }',
        "line 4: model.layers[1]: Residual in layer 1 of Sequential: the body's output has",
    ),
    (
        RELU,
        '{ type = "Sequential", layers = ["Flatten", "ReLU", "Tanh", "GlobalMaxPool2D"] }',
        "line 4: model.layers[1]: GlobalMaxPool2D() in layer 3 of Sequential in layer 1 of",
    ),
    (
        RELU,
        '{ type = "Residual", body = "Tanh", shortcut = { type = "Dense", unit = 3 } }',
        "model.layers[1].shortcut.unit: Dense has no argument 'unit'. Did you mean 'units'?",
    ),
    (
        RELU,
        '{ type = "Conv2D", filters = 3, kernel_size = 3 }',
        "line 4: model.layers[1]: Conv2D(3, 3) in layer 1 of Sequential: expected input",
    ),
    (
        RELU,
        '{ type = "Dense", units = 10000000000000000 }',
        "line 2: model.layers: cannot be made: ",
    ),
    ('    "Softmax",\n', "", "line 8: loss: Objective: Dense(10) in layer 2 of Sequential gives"),
    ("]\n\n[loss]", "]\nunits = 3\n[loss]", "line 8: model.units: there is no such key. Known: "),
    ("]\n\n[loss]", "]\nseed = -1\n[loss]", "model.seed: expected a whole number of at least 0"),
    ("]\n\n[loss]", "]\ninput_shape = 784\n[loss]", "input_shape: expected a list, got 784. Put"),
    (
        "]\n\n[loss]",
        "]\ninput_shape = [28, 27]\n[loss]",
        "data: 50 synthetic digits, drawn: expected",
    ),
    (
        "]\n\n[loss]",
        ']\ndtype = "int8"\n[loss]',
        "expected one of 'float32', 'float64', got 'int8'",
    ),
    (
        '"CrossEntropy"',
        '"Crossentropy"',
        "loss.type: there is no loss 'Crossentropy'. Did you mean",
    ),
    ('"CrossEntropy"', '"MeanSquaredError"', "line 16: data: MeanSquaredError(): expected targets"),
    ("[loss]", "[losses]", "losses: there is no such key. Did you mean 'loss'? Known: callbacks"),
    ('type = "SGD"\n', "", "line 12: optimizer: the key 'type' is missing."),
    (RATE, "", "line 12: optimizer: SGD needs 'learning_rate'"),
    (RATE, "lr = 0.1", "line 14: optimizer.lr: SGD has no argument 'lr'. Known: clip_norm"),
    (RATE, 'learning_rate = "0.1"', "line 14: optimizer.learning_rate: SGD: learning_rate must be"),
    (RATE, "learning_rate = 0,1", "Expected newline or end of document after a statement (at line"),
    (RATE, 'learning_rate = { type = "CosineDecay", initial = 0.1 }', "CosineDecay needs 'steps'"),
    (RATE, 'learning_rate = { type = "Cosine" }', "learning_rate.type: there is no schedule 'Cosi"),
    ('"synthetic_digits"', '"mnst"', "line 17: data.source: there is no file "),
    ('"synthetic_digits"', '"mnst"', "and no data set 'mnst'. Did you mean 'mnist'? Known: "),
    ('"synthetic_digits"', "3", "line 17: data.source: expected a text in quotes, got 3."),
    ('"synthetic_digits"', '"."', "line 16: data: load_mnist: expected the files in"),
    ("validation_split = 0.2", "validation_split = 20", "at least 0 and below 1, got 20."),
    ("validation_split = 0.2", "validation_split = 0.001", "of 50 rows leaves none on one side"),
    (
        "validation_split = 0.2",
        "",
        "line 27: callbacks[0].monitor: 'val_accuracy' is not measured.",
    ),
    ("validation_split = 0.2", "", "rows held out: data.validation_split = 0.1."),
    ("rows = 50", 'target = "y"', "line 18: data.target: this goes with a .csv file only."),
    (
        RELU,
        '"Standardize"',
        "line 4: model.layers[1]: Standardize() in layer 1 of Sequential:",
    ),
    ("rows = 50", "row = 50", "line 18: data.row: there is no such key. Did you mean 'rows'?"),
    ("rows = 50", "rows = 50\ndivide_by = 0", "data.divide_by: expected a number of at least"),
    (
        "rows = 50",
        'rows = 50\ntransforms = ["RandomShift"]',
        "transforms[0]: RandomShift needs 'shif",
    ),
    (
        "rows = 50",
        'rows = 50\ntransforms = "Mixup"',
        "data.transforms: expected a list, got 'Mixup'",
    ),
    ("epochs = 1", "epochs = 0", "line 22: training.epochs: expected a whole number of at least 1"),
    (
        "epochs = 1",
        "epochs = 2.5",
        "training.epochs: expected a whole number of at least 1, got 2.5",
    ),
    ("epochs = 1", "epochs = true", "expected a whole number of at least 1, got True"),
    ("epochs = 1", "epoch = 1", "training.epoch: there is no such key. Did you mean 'epochs'?"),
    ("epochs = 1\n", "", "line 21: training: the key 'epochs' is missing."),
    ("[training]\nepochs = 1", "epochs = 1", "config.toml: the key 'training' is missing."),
    (
        '["accuracy"]',
        '["acc"]',
        "line 23: training.metrics[0]: there is no metric 'acc'. Known: acc",
    ),
    ('["accuracy"]', '"accuracy"', "training.metrics: expected a list, got 'accuracy'. Put it in"),
    (
        '["accuracy"]',
        '["accuracy", "accuracy"]',
        "line 23: training.metrics: Trainer: metrics need",
    ),
    (
        '["accuracy"]',
        '[{ type = "f1_score", averag = 3 }]',
        "Did you mean 'average'? Known: average",
    ),
    ('"val_accuracy"', '"val_acuracy"', "line 25: callbacks[0]: EarlyStopping: say whether"),
    (
        '"val_accuracy"',
        '"train_loss"',
        "callbacks[0].monitor: 'train_loss' is not measured. Did you",
    ),
    (
        '"EarlyStopping"',
        '"EarlyStop"',
        "line 26: callbacks[0].type: there is no callback 'EarlyStop'",
    ),
    ("[[callbacks]]", "[callbacks]", "callbacks: expected a list, got {'type': 'EarlyStopping', "),
    ("[[callbacks]]", "[callbacks]", "Put it in brackets: [[callbacks]]."),
    ('model = "out.safetensors"', "", "line 29: output: the key 'model' is missing."),
    ('"out.safetensors"', '"."', "line 30: output.model: "),
    ('"out.safetensors"', '""', "line 30: output.model: expected a path, got ''."),
    ('"out.safetensors"', '"m"\nplot = "m.docx"', "output.plot: expected a name that ends in .png"),
    ('"out.safetensors"', '"m"\nhistory = "m"', "expected a name of its own, got that of another"),
    ("[output]", "[output", "this is not TOML: Expected ']' at the end of a table declaration"),
    ("[output]", "[training]", "this is not TOML: Cannot declare ('training',) twice (at line 29"),
    ("[output]", "a = " + "[" * 3000 + "]" * 3000, ": its lists or tables are nested too deeply."),
    ("[output]", "a = " + "9" * 5000, "this is not TOML: "),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_mistakes(fails, tmp_path, old, new, message):
    path = tmp_path / "config.toml"
    assert old in BASE
    path.write_text(BASE.replace(old, new, 1))
    found = fails("train", path)
    assert found.startswith(str(path))
    assert message in found
    assert not (tmp_path / "out.safetensors").exists()


def test_a_long_list_is_shown_only_to_those_who_need_it(fails, tmp_path):
    path = tmp_path / "config.toml"
    for name, known in (("Relu", False), ("Xyzzy", True)):
        path.write_text(BASE.replace(RELU, f'"{name}"'))
        assert ("Known: AveragePool2D, " in fails("train", path)) is known


def test_the_base_has_none(run, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(BASE)
    assert run("train", path).code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "config.toml: the key 'model' is missing."),
        (b"a = 1\nb = '\xff'", "line 2: expected text in UTF-8, got other bytes."),
        (b"\x00", "this is not TOML"),
        (b"#" * 1_000_001, "expected at most 1,000,000 bytes of TOML, got more."),
        (BASE.encode("utf-16"), "expected text in UTF-8"),
    ],
)
def test_files_that_are_no_config(fails, tmp_path, content, message):
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    assert message in fails("train", path)


def test_no_file_or_a_folder(fails, tmp_path):
    assert (
        fails("train", tmp_path / "no.toml") == f"{tmp_path / 'no.toml'}: No such file or directory"
    )
    assert fails("train", tmp_path) == f"{tmp_path}: Is a directory"


def test_lines_are_right_behind_windows_line_ends(fails, tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + BASE.replace(RELU, '"Relu"').replace("\n", "\r\n").encode())
    assert "line 4: model.layers[1]" in fails("train", path)
