"""Drawings of networks: valid SVG, with everything in it and nothing across its borders."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from cases import CASES

import minidl as dl
from minidl.diagram import SVG

NAMESPACE = "{http://www.w3.org/2000/svg}"


def texts(picture):
    return [element.text for element in ElementTree.fromstring(picture).iter(f"{NAMESPACE}text")]


def placed(element, x=0.0, y=0.0):
    """Every shape with the place of the groups that it is in."""
    move = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", "translate(0 0)"))
    x, y = x + float(move[1]), y + float(move[2])
    yield element, x, y
    for child in element:
        yield from placed(child, x, y)


def corners(element, x, y):
    """The corners of a shape on the page."""
    get = {name: float(element.get(name, 0)) for name in ("x", "y", "width", "height")}
    kind = element.tag.removeprefix(NAMESPACE)
    if kind == "rect":
        left, top = x + get["x"], y + get["y"]
        return [(left, top), (left + get["width"], top + get["height"])]
    if kind == "text":
        width = float(element.get("textLength"))
        left = x + get["x"] - (width / 2 if element.get("text-anchor") == "middle" else 0)
        return [(left, y + get["y"] - 9), (left + width, y + get["y"] + 3)]
    points = [pair.split(",") for pair in element.get("points", "").split()]
    return [(x + float(a), y + float(b)) for a, b in points]


MODELS = {
    "784-10-10": ([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()], (784,)),
    "branches": (
        [
            dl.Residual(dl.Sequential([dl.BatchNorm(), dl.Conv2D(2, 3, padding="same")])),
            dl.Parallel([dl.Conv2D(2, 1), dl.Sequential([dl.ReLU(), dl.ReLU()]), dl.ReLU()]),
            dl.Parallel([dl.ReLU()], merge="add"),
            dl.Residual(dl.Conv2D(4, 1), dl.Conv2D(4, 1)),
            dl.Sequential([dl.Sequential([dl.Flatten()]), dl.Dense(3)]),
        ],
        (4, 4, 2),
    ),
    "both ways": ([dl.Bidirectional(dl.LSTM(2))], (None, 3)),
    "deep": ([layer for _ in range(50) for layer in (dl.Dense(3), dl.ReLU())], (3,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_all_shapes_stay_on_the_page(name):
    layers, shape = MODELS[name]
    picture = dl.Sequential([layer.detached_copy() for layer in layers]).build(shape, rng=0).plot()
    root = ElementTree.fromstring(picture)
    width, height = float(root.get("width")), float(root.get("height"))
    assert root.get("viewBox") == f"0 0 {width:g} {height:g}"
    for element, x, y in placed(root):
        for a, b in corners(element, x, y):
            assert 0 <= a <= width, ElementTree.tostring(element)
            assert 0 <= b <= height, ElementTree.tostring(element)


@pytest.mark.parametrize("name", MODELS)
def test_boxes_of_layers_do_not_overlap_and_hold_their_texts(name):
    layers, shape = MODELS[name]
    picture = dl.Sequential([layer.detached_copy() for layer in layers]).build(shape, rng=0).plot()
    found = list(placed(ElementTree.fromstring(picture)))
    filled = [
        corners(element, x, y)
        for element, x, y in found
        if element.get("fill") not in (None, "none", "#ffffff") and element.tag.endswith("rect")
    ]
    for i, ((left, top), (right, bottom)) in enumerate(filled):
        for (a, b), (c, d) in filled[:i]:
            assert right < a or c < left or bottom < b or d < top
    inside = 0
    for element, x, y in found:
        if element.tag.endswith("text"):
            (a, b), (c, d) = corners(element, x, y)
            inside += any(
                left < a and c < right and top < b and d < bottom
                for (left, top), (right, bottom) in filled
            )
    assert inside == 2 * len(filled)


@pytest.mark.parametrize("name", CASES)
def test_every_layer_can_be_drawn(name):
    model = CASES[name].build(np.float32)
    picture = model.plot()
    assert any(type(model).__name__ in (text or "") for text in texts(picture)) or model.children
    assert f"{model.params.size:,} parameters" in texts(picture)


def test_names_shapes_numbers_and_frozen_layers():
    model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()]).build((784,))
    model.layers[0].trainable = False
    found = texts(model.plot())
    assert found[:3] == [
        "input (N, 784) float32",
        "Dense(10)",
        "(N, 10) · 7,850 parameters, frozen",
    ]
    assert found[-1] == "7,960 parameters"
    assert model.plot().count("stroke-dasharray") == 1
    assert "add" in texts(dl.Residual(dl.Dense(3)).build((3,)).plot())


def test_long_and_hostile_names_are_shortened_and_escaped():
    odd = type('A<b>&"', (dl.ReLU,), {})
    assert 'A<b>&"()' in texts(odd().build((3,)).plot())
    long = dl.Dense(3, weight_initializer=dl.Uniform(-0.25, 0.25), weight_penalty=dl.L2(1e-4))
    picture = long.build((3,)).plot()
    assert max(map(len, texts(picture))) == 54
    assert repr(long) in [e.text for e in ElementTree.fromstring(picture).iter(f"{NAMESPACE}title")]


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("A\x00\x01B", "A\ufffd\ufffdB"),
        ("\x1b[31mA", "\ufffd[31mA"),
        ("A\ud800\ufffe", "A\ufffd\ufffd"),
        ("\x7f層\U0001f600\ufffd", "\x7f層\U0001f600\ufffd"),
    ],
)
def test_characters_that_xml_has_not_are_replaced(tmp_path, hostile, shown):
    class Odd(dl.ReLU):
        def __repr__(self):
            return hostile

    picture = Odd().build((3,)).plot(tmp_path / "odd.svg")
    assert shown in texts(picture)
    ElementTree.parse(tmp_path / "odd.svg")


def test_a_container_of_ones_own_is_a_frame():
    class Pair(dl.Layer):
        def __init__(self):
            self.children = [dl.ReLU(), dl.Tanh()]

        def forward(self, x, *, training=False, out=None):
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    found = texts(Pair().build((3,)).plot())
    assert found[1:] == ["Pair (N, 3)", "ReLU()", "(N, 3)", "Tanh()", "(N, 3)", "0 parameters"]


def test_same_model_same_text_and_a_file(tmp_path):
    model = dl.Dense(3).build((4,), rng=0)
    path = tmp_path / "model.svg"
    picture = model.plot(path)
    assert isinstance(picture, SVG)
    assert path.read_text() == picture == model.plot() == picture._repr_svg_()
    model.plot(tmp_path / "new" / "model.svg")  # as model.save makes folders
    assert (tmp_path / "new" / "model.svg").read_text() == picture
    with pytest.raises(dl.ArgumentError, match=r"Name it model\.svg"):
        model.plot(tmp_path / "model.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.svg", "new"]


def test_needs_build():
    with pytest.raises(dl.StateError, match="is not built"):
        dl.Dense(3).plot()
