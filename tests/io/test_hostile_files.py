"""Files that are damaged, foreign, or made to do harm: a DataError that says what is wrong."""

import json
import os
import re
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import minidl as dl
from minidl.io.model_file import contents_of
from minidl.io.tensor_file import TensorFile, write

EXAMPLES = int(os.environ.get("MINIDL_FUZZ_EXAMPLES", "60"))  # more for a longer run by hand
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def model():
    layers = [dl.Dense(2, weight_penalty=dl.L2(0.1)), dl.BatchNorm(), dl.Dropout(0.5)]
    return dl.Sequential([*layers, dl.Residual(dl.Sequential([dl.Dense(2)]))]).build((3,), rng=0)


def whole_header(content):
    start = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:start]), content[start:]


def with_header(header, rest):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + rest


def refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(dl.DataError, match=message) as caught:
        dl.load(path)
    assert str(caught.value).startswith(f"{path}: ")


# --- damage --------------------------------------------------------------------------------------


def test_a_file_that_ends_too_early(tmp_path):
    path = tmp_path / "model"
    dl.Dense(2).build((2,), rng=0).save(path)
    content = path.read_bytes()
    for length in range(len(content)):
        refused(path, content[:length], "is no whole safetensors file: it has .* bytes and should")
    refused(path, content + b"\0", "is no whole safetensors file: it has .* bytes and should have")


def test_flipped_bits_are_found(tmp_path):
    path = tmp_path / "model"
    dl.Dense(2, use_bias=False).build((2,), rng=0).save(path)
    content, values = path.read_bytes(), dl.load(path).params.tobytes()
    key = content.index(b'"sha256"')
    for bit in range(0, 8 * len(content), 5):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            refused(path, damaged, "model: ")
        except pytest.fail.Exception:  # the checksum has lost its name, and all else is as it was
            assert key < bit // 8 < key + 7
            assert dl.load(path).params.tobytes() == values


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04" + bytes(200), bytes(8), b"\x89HDF\r\n\x1a\n"]
)
def test_other_kinds_of_files(content, tmp_path):
    refused(tmp_path / "model", content, "is no whole safetensors file")


def test_a_safetensors_file_of_another_program(tmp_path):
    save_file({"weight": np.zeros(3)}, tmp_path / "model", {"format": "pt"})
    with pytest.raises(
        dl.DataError,
        match=r"is no model of minidl: .* lacks architecture, .*\. Of any .*load_file reads",
    ):
        dl.load(tmp_path / "model")


def rewritten(path, edit, *, checksum):
    """Change the file of a model as another program does, which knows nothing of checksums."""
    dl.Sequential([dl.Dense(2), dl.Dense(1)]).build((3,), rng=0).save(path)
    with safe_open(path, "np") as file:
        texts = file.metadata()
    tensors = load_file(path)
    edit(tensors)
    if not checksum:
        del texts["sha256"]
    save_file(tensors, path, texts)


def test_another_program_may_change_values_and_drop_the_checksum(tmp_path):
    path = tmp_path / "model"
    rewritten(path, lambda tensors: tensors["1.dense.bias"].fill(7), checksum=False)
    assert dl.load(path).layers[1].bias == 7
    rewritten(path, lambda tensors: tensors["1.dense.bias"].fill(7), checksum=True)
    with pytest.raises(
        dl.DataError,
        match="model: has other content than its checksum was taken of: it is damaged, or another "
        r"program changed it, which should drop the text 'sha256'\.$",
    ):
        dl.load(path)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.pop("1.dense.bias"), "it lacks '1.dense.bias'"),
        (lambda t: t.update(more=np.zeros(2)), "it has also 'more'"),
        (lambda t: t.update({"1.dense.bias": np.zeros(2)}), r"has '1.dense.bias' as float64 of"),
    ],
)
def test_what_does_not_fit_is_named_rather_than_called_damaged(edit, message, checksum, tmp_path):
    rewritten(tmp_path / "model", edit, checksum=checksum)
    with pytest.raises(dl.DataError, match=message):
        dl.load(tmp_path / "model")


def test_no_memory_is_taken_for_values_before_the_checksum_fits(tmp_path):
    path = tmp_path / "model"
    dl.Dense(1000, weight_initializer=dl.Zeros()).build((2000,)).save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    tracemalloc.start()
    refused(path, content, "has other content than its checksum")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "model"
    dl.Dense(200).build((200,), rng=0).save(path)
    checksum = TensorFile._checksum

    def shrink(file):
        try:
            return checksum(file)
        finally:
            os.truncate(path, 10_000)

    with (
        mock.patch.object(TensorFile, "_checksum", shrink),
        pytest.raises(dl.DataError, match="model: ended while 'weight' was read"),
    ):
        dl.load(path)


# --- headers that are not well-formed ------------------------------------------------------------


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"[1, 2]", "its header is no JSON object"),
        (b"{", "Expecting property name"),
        (b"\xff\xfe", "codec can't decode"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": 1, "a": 1}', "it has the key 'a' twice"),
        (b"[" * 100_000, "its lists are nested too deeply"),
        (b"[" + b"1," * 2**18 + b"1]", "it has more than 262,144 values"),
        (
            b" " * (2**23 + 1),
            "its header would have 8,388,609 bytes, more than 8,388,608, as if it were",
        ),
        ({"__metadata__": []}, "its metadata are not texts by name"),
        ({"__metadata__": {"a": 1}}, "its metadata are not texts by name"),
        ({"a": {**ENTRY, "dtype": "BF16"}}, "'a' has the data type 'BF16', which minidl does not"),
        ({"a": {**ENTRY, "dtype": ["F32"]}}, r"'a' has the data type \['F32'\]"),
        ({"a": {**ENTRY, "more": 1}}, "'a' must have dtype, shape and data_offsets"),
        ({"a": [1]}, "'a' must have dtype, shape and data_offsets"),
        ({"a": {**ENTRY, "shape": [-2]}}, "must be lists of whole numbers"),
        ({"a": {**ENTRY, "shape": [2.0]}}, "must be lists of whole numbers"),
        ({"a": {**ENTRY, "shape": [True, 2]}}, "must be lists of whole numbers"),
        ({"a": {**ENTRY, "shape": None}}, "must be lists of whole numbers"),
        ({"a": {**ENTRY, "data_offsets": [8]}}, "must be lists of whole numbers"),
        ({"a": {**ENTRY, "data_offsets": [8, 0]}}, r"'a' of shape \(2,\) has -8 bytes"),
        ({"a": {**ENTRY, "shape": [3]}}, r"'a' of shape \(3,\) has 8 bytes"),
        ({"a": {**ENTRY, "shape": [10**30, 0]}}, "'a' has an absurd shape"),
        ({"a": {**ENTRY, "shape": [1] * 40}}, "'a' has an absurd shape"),
        ({"a": ENTRY, "b": ENTRY}, "the bytes of 'b' do not follow those of the array before it"),
        ({"a": {**ENTRY, "data_offsets": [8, 16]}}, "the bytes of 'a' do not follow"),
        ({}, "it has .* bytes and should have"),
    ],
)
def test_a_header_that_is_not_well_formed(header, message, tmp_path):
    refused(tmp_path / "model", with_header(header, bytes(8)), f"is no whole saf.*: .*{message}")


def test_a_header_longer_than_the_file(tmp_path):
    refused(
        tmp_path / "model",
        b"\xff" * 16,
        "its header would have 18,446,744,.* a file of another kind",
    )


# --- well-formed files that hold no model --------------------------------------------------------


def edited(path, edit):
    """Write the model's file with other arrays and texts, and with the right checksum."""
    tensors, texts = contents_of(model())
    tensors = dict(tensors)
    edit(tensors, texts)
    write(path, tensors, texts)
    return path


def refused_when(path, message, edit):
    with pytest.raises(dl.DataError, match=message) as caught:
        dl.load(edited(path, edit))
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("format", "pt", "has the format 'pt', not 'minidl'"),
        ("format_version", "2", "has format version '2', of minidl .* reads version 1. Install a"),
        ("format_version", "x", "has format version 'x'"),
        ("dtype", "float16", "must have dtype float32 or float64, not 'float16'"),
        ("dtype", "object", "must have dtype float32 or float64, not 'object'"),
        ("dtype", "float64", "as float32 of shape .*; its model needs float64 of shape"),
        ("input_shape", "[NaN]", "NaN is no JSON"),
        ("input_shape", "[3.0]", r"positive lengths .*, got \[3.0\]"),
        ("input_shape", "[-3]", r"positive lengths .*, got \[-3\]"),
        ("input_shape", '"3"', "positive lengths .*, got '3'"),
        ("input_shape", "3", "positive lengths .*, got 3"),
        ("input_shape", f"[{2**63}]", "positive lengths"),
        ("input_shape", f"[{', '.join(['1'] * 64)}]", "positive lengths"),
        ("input_shape", "[4]", r"'0.dense.weight' as float32 of shape \(3, 2\); .* shape \(4, 2\)"),
        ("input_shape", "[null]", "cannot be made: "),
        ("frozen", '["9.dense"]', "it has no layer '9.dense' to be frozen"),
        ("frozen", "[[]]", "cannot be made: "),
        ("frozen", "1", "cannot be made: "),
        ("architecture", "", "Expecting value"),
        ("architecture", "null", "its architecture is None, not a layer"),
        ("architecture", "[" * 900 + "]" * 900, "is nested more than 64 deep"),
        ("architecture", '{"class": "ReLU", "class": "Tanh"}', "it has the key 'class' twice"),
    ],
)
def test_texts_that_describe_no_model(name, text, message, tmp_path):
    refused_when(tmp_path / "model", message, lambda _, texts: texts.update({name: text}))


@pytest.mark.parametrize("name", ["format", "format_version", "dtype", "architecture", "frozen"])
def test_texts_that_are_missing(name, tmp_path):
    message = f"is no model of minidl: its metadata lacks {name}"
    refused_when(tmp_path / "model", message, lambda _, texts: texts.pop(name))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.pop("1.batchnorm.gamma"), "does not fit its model: it lacks '1.batchnorm.gam"),
        (lambda t: t.clear(), "it lacks '0.dense.bias', .* and 3 more"),
        (lambda t: t.update(more=np.zeros(2)), "does not fit its model: it has also 'more'"),
        (
            lambda t: t.update({"1.mynorm.gamma": t.pop("1.batchnorm.gamma")}),
            r"it lacks '1.batchnorm.gamma', and has also '1.mynorm.gamma'\.$",
        ),
        (lambda t: t.update({"x" * 1000: np.zeros(2)}), r"it has also 'x{76}\.{3}$"),
        (lambda t: t.update({"\x1b[2J": np.zeros(2)}), r"it has also '\\x1b\[2J'"),
        (
            lambda t: t.update({"0.dense.bias": np.zeros((1, 2), np.float32)}),
            r"has '0.dense.bias' as float32 of shape \(1, 2\); its model needs float32 of shape",
        ),
        (
            lambda t: t.update({"0.dense.bias": np.zeros(2)}),
            r"has '0.dense.bias' as float64 of shape \(2,\); its model needs float32 of shape",
        ),
    ],
)
def test_arrays_that_do_not_fit(edit, message, tmp_path):
    refused_when(tmp_path / "model", message, lambda tensors, _: edit(tensors))


def layer(name, **arguments):
    return {"class": name, "arguments": arguments}


HUGE = 2**62
BOMBS = {
    "a huge Dense": layer("Dense", units=10**12),
    "a huge Embedding": layer("Embedding", vocabulary_size=HUGE, units=HUGE),
    "an unshapely Reshape": layer("Reshape", target_shape=[HUGE, HUGE]),
    "huge groups": layer(
        "Sequential", layers=[layer("Dense", units=HUGE), layer("GroupNorm", groups=7)]
    ),
    "many heads": layer(
        "Sequential",
        layers=[
            layer("Reshape", target_shape=[1, 3]),
            layer("Dense", units=HUGE),
            layer("MultiHeadSelfAttention", heads=7),
        ],
    ),
    "lengths that multiply": layer(
        "Sequential",
        layers=[
            layer("Reshape", target_shape=[1, 3, 1]),
            *[layer("UpSampling2D", size=[HUGE, HUGE])] * 1000,
        ],
    ),
    "many layers": layer("Sequential", layers=[layer("ReLU")] * 30_000),
    "many axes": layer("Reshape", target_shape=[1] * 10_000),
    "a long text": layer("PReLU", initializer="x" * 1_000_000),
    "a number of 4000 digits": layer("Dense", units=10**4000),
    "a number that overflows": layer("Dropout", rate=10**400),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_absurd_sizes_take_no_memory(bomb, tmp_path):
    path = edited(tmp_path / "model", lambda _, texts: texts.update(architecture=json.dumps(bomb)))
    refuse = pytest.raises(dl.DataError, match=r"model: (its model cannot|does not fit)")
    dl.load(edited(tmp_path / "good", lambda *_: None))  # imports are not to be measured
    tracemalloc.start()
    with refuse:
        dl.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * path.stat().st_size + 20_000_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            layer("os.system", command="true"),
            "it has 'os.system', a class that this version of min",
        ),
        (layer("eval", source="1"), "it has 'eval', a class that this version of minidl does not"),
        (layer("Layer"), "it has 'Layer', a class that this version of minidl does not have"),
        (layer("Trainer", model=1), "it has 'Trainer', a class that"),
        ({**layer("ReLU"), "own": True}, r"it has 'ReLU', a class .*layers=\{'ReLU': ReLU\}"),
        ({**layer("ReLU"), "own": 1}, "'own': 1.* stands for nothing"),
        ({**layer("ReLU"), "module": "os"}, "stands for nothing"),
        (layer("Dense", units=2, shell=True), "Dense takes no argument 'shell'"),
        (layer("Dense", units=2, __init__=1), "Dense takes no argument '__init__'"),
        (layer("Sequential", layers=[], more=[1]), "Sequential takes no argument 'more'"),
        (layer("Dense"), "missing 1 required positional argument: 'units'"),
        (layer("Dense", units="2"), "Dense: units must be a whole number of at least 1, got '2'"),
        (
            layer("Dense", units=2, weight_initializer=5),
            "the initializer of 'weight' must be an in",
        ),
        (layer("Dense", units=2, weight_penalty=layer("Zeros")), "the penalty of 'weight' must be"),
        (layer("Sequential", layers=[layer("Zeros")]), "layer 0 must be a Layer, got Zeros"),
        (layer("Sequential", layers={"dict": {}}), "Sequential: needs at least one layer"),
        (layer("HeNormal"), r"its architecture is HeNormal\(\), not a layer"),
        (layer("Dense", units={"float": "nan"}), "Dense: units must be a whole number"),
        (layer("Dense", units={"float": "2"}), "stands for nothing"),
        (layer("Dense", units={"tuple": 3}), "stands for nothing"),
        (layer("Dense", units={"array": [1], "shape": [1], "dtype": "object"}), "stands for nothi"),
        (
            layer("Dense", units={"array": [300], "shape": [1], "dtype": "uint8"}),
            "out of bounds for",
        ),
        (layer("Dense", units={"array": [1], "shape": [2], "dtype": "uint8"}), "cannot reshape"),
        (layer("Bidirectional", layer=layer("ReLU")), "layer must be a recurrent layer"),
        (layer("Residual", body=layer("Dense", units=2)), "the body's output has the shape"),
    ],
)
def test_only_known_classes_with_their_own_arguments(data, message, tmp_path):
    refused_when(
        tmp_path / "model",
        f"its model cannot be made: .*{message}",
        lambda _, texts: texts.update(architecture=json.dumps(data)),
    )


def test_an_error_in_a_users_constructor_is_told(tmp_path):
    class Picky(dl.ReLU):
        def __init__(self, level=1):
            self.level = level
            if level > 1:
                raise LookupError(f"no such level: {level}")

    Picky().build((2,)).save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes().replace(rb"\"level\": 1", rb"\"level\": 2")
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(dl.DataError, match="cannot be made: no such level: 2") as caught:
        dl.load(tmp_path / "model", layers={"Picky": Picky})
    assert isinstance(caught.value.__cause__.__cause__, LookupError)


# --- memory --------------------------------------------------------------------------------------


def test_loading_takes_less_than_four_times_the_file(tmp_path):
    path = tmp_path / "model"
    dl.Dense(1000, weight_initializer=dl.Zeros()).build((2000,)).save(path)
    dl.load(path)  # what is imported at the first time does not count
    tracemalloc.start()
    loaded = dl.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert loaded.params.nbytes > 8_000_000
    assert peak < 3.1 * path.stat().st_size


# --- at random -----------------------------------------------------------------------------------


def loaded_or_refused(path):
    """Load without the checksum, so that what is behind it is tried as well."""
    with mock.patch.object(TensorFile, "_checksum", return_value=mock.ANY):
        try:
            found = dl.load(path)
        except dl.DataError:
            return
    assert found.built
    assert found.params.size < 100


SEEDS = [contents_of(model())]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["ReLU", "Dense", "valid", "add", "nan", "float64", ""])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["class", "arguments", "own", "tuple", "units"]), inner)
        | st.builds(
            layer,
            st.sampled_from(["ReLU", "Dense", "Sequential", "Flatten", "HeNormal", "L2", "Conv2D"]),
            units=inner,
        )
    ),
    max_leaves=10,
)


def places(data, at=()):
    """Where there is anything in nested lists and dicts."""
    yield at
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*at, key))


def replaced(data, at, value):
    if not at:
        return value
    copied = dict(data) if isinstance(data, dict) else list(data)
    copied[at[0]] = replaced(data[at[0]], at[1:], value)
    return copied


@fuzzed
@given(st.data())
def test_architectures_edited_at_random(tmp_path, data):
    tensors, texts = SEEDS[0]
    architecture = json.loads(texts["architecture"])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(list(places(architecture))))
        architecture = replaced(architecture, at, data.draw(json_values))
    write(tmp_path / "model", tensors, {**texts, "architecture": json.dumps(architecture)})
    loaded_or_refused(tmp_path / "model")


@fuzzed
@given(st.data())
def test_headers_edited_at_random(tmp_path, data):
    write(tmp_path / "model", *SEEDS[0])
    header, rest = whole_header((tmp_path / "model").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(list(places(header))))
        header = replaced(header, at, data.draw(json_values))
    (tmp_path / "model").write_bytes(with_header(header, rest))
    loaded_or_refused(tmp_path / "model")


@fuzzed
@given(st.data())
def test_bytes_changed_at_random(tmp_path, data):
    write(tmp_path / "model", *SEEDS[0])
    content = bytearray((tmp_path / "model").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = start + data.draw(st.integers(0, 4))
        content[start:stop] = data.draw(st.binary(max_size=4))
    (tmp_path / "model").write_bytes(content[: data.draw(st.integers(len(content) // 2, 5000))])
    loaded_or_refused(tmp_path / "model")


@fuzzed
@given(content=st.binary(max_size=300))
def test_any_bytes(tmp_path, content):
    for whole in (content, with_header(content, b"")):
        (tmp_path / "model").write_bytes(whole)
        with pytest.raises(dl.DataError, match=re.escape(f"{tmp_path}")):
            dl.load(tmp_path / "model")
