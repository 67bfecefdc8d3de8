"""Pictures as inputs: sizes, colours, transparency, light and dark."""

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

import minidl as dl

GREY = np.array([[0, 51], [102, 255]], np.uint8)
PIXELS = [0, 0.2, 0.4, 1]


def pgm(path, pixels, largest=255):
    """A grey picture in the simplest of formats."""
    height, width = pixels.shape
    data = pixels.astype(np.uint8 if largest < 256 else ">u2").tobytes()
    path.write_bytes(f"P5 {width} {height} {largest}\n".encode() + data)
    return path


def passing(path, shape):
    """A model that gives all pixels as they are, as one row."""
    dl.Sequential([dl.Flatten()]).build(shape).save(path)
    return path


def numbers(found):
    assert found.code == 0
    return np.array(found.out.splitlines()[1].split(","), float)


@pytest.mark.parametrize("shape", [(4,), (2, 2), (2, 2, 1)])
def test_grey_pictures(run, tmp_path, shape):
    model = passing(tmp_path / "m.safetensors", shape)
    picture = pgm(tmp_path / "p.pgm", GREY)
    found = run("predict", model, picture)
    np.testing.assert_allclose(numbers(found), PIXELS, rtol=1e-6)
    assert found.err == ""


def test_sixteen_bits(run, tmp_path):
    model = passing(tmp_path / "m.safetensors", (4,))
    picture = pgm(tmp_path / "p.pgm", GREY.astype(np.uint16) * 257, 65535)
    np.testing.assert_allclose(numbers(run("predict", model, picture)), PIXELS, rtol=1e-6)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_thirty_two_bits_do_not_say_what_is_white(fails, tmp_path, kind):
    model = passing(tmp_path / "m.safetensors", (4,))
    Image.fromarray(GREY.astype(kind)).save(tmp_path / "p.tif")
    message = fails("predict", model, tmp_path / "p.tif")
    assert message.startswith(f"{tmp_path / 'p.tif'}: expected 8 or 16 bits a pixel, got 32 bits")


def test_sixteen_bits_in_png(run, tmp_path):
    model = passing(tmp_path / "m.safetensors", (4,))
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / "p.png")
    found = numbers(run("predict", model, tmp_path / "p.png"))
    np.testing.assert_allclose(found, PIXELS, rtol=1e-6)


@pytest.mark.parametrize("shape", [(12,), (2, 2, 3)])
def test_colours(run, tmp_path, shape):
    model = passing(tmp_path / "m.safetensors", shape)
    colours = np.random.default_rng(0).integers(0, 256, (2, 2, 3), np.uint8)
    matplotlib.image.imsave(tmp_path / "p.png", colours)
    found = numbers(run("predict", model, tmp_path / "p.png"))
    np.testing.assert_allclose(found, colours.ravel() / 255, rtol=1e-6)


def test_what_is_transparent_is_paper(run, tmp_path):
    model = passing(tmp_path / "m.safetensors", (2, 2, 3))
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[..., 3] = GREY
    matplotlib.image.imsave(tmp_path / "p.png", ink)
    found = numbers(run("predict", model, tmp_path / "p.png"))
    np.testing.assert_allclose(found, np.repeat(1 - GREY.ravel() / 255, 3), atol=1e-6)


def test_dark_on_light_is_noticed_and_inverted(run, tmp_path):
    model = passing(tmp_path / "m.safetensors", (4,))
    picture = pgm(tmp_path / "p.pgm", 255 - GREY)
    found = run("predict", model, picture)
    assert "is light, 0.60 in the mean" in found.err
    assert "--invert turns a picture round" in found.err
    found = run("predict", model, picture, "--invert")
    assert found.err == ""
    np.testing.assert_allclose(numbers(found), PIXELS, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((784,), "expected a picture of 784 pixels, such as 28 x 28, got 2 x 2 pixels"),
        ((7,), "expected a picture of 7 pixels, got 2 x 2 pixels"),
        ((3, 5, 1), "expected 5 x 3 pixels, got 2 x 2 pixels"),
        ((3, 5), "expected a model that takes pictures, not (N, 3, 5), got a picture"),
        ((2, 2, 2), "expected a model that takes pictures, not (N, 2, 2, 2), got a picture"),
    ],
)
def test_wrong_sizes(fails, tmp_path, shape, message):
    model = passing(tmp_path / "m.safetensors", shape)
    assert message in fails("predict", model, pgm(tmp_path / "p.pgm", GREY))


def test_damaged_pictures(fails, tmp_path):
    model = passing(tmp_path / "m.safetensors", (4,))
    matplotlib.image.imsave(tmp_path / "p.png", GREY)
    whole = (tmp_path / "p.png").read_bytes()
    for length in (3, 20, 50, len(whole) // 2):
        (tmp_path / "p.png").write_bytes(whole[:length])
        assert str(tmp_path / "p.png") in fails("predict", model, tmp_path / "p.png")
    (tmp_path / "p.pgm").write_bytes(b"P5 2 2 255\n\0")
    assert "expected an intact picture" in fails("predict", model, tmp_path / "p.pgm")


def test_a_missing_pillow_is_named(fails, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    model = passing(tmp_path / "m.safetensors", (4,))
    assert "pip install minidl[plot]" in fails("predict", model, pgm(tmp_path / "p.pgm", GREY))
