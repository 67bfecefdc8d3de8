"""The page that draws digits: each of its layers is minidl's, and a visitor can use all of it.

The page's own modules run in the browser. What they compute is compared with minidl, NumPy, SciPy.
"""

import json
import os

import numpy as np
import pytest
from browser.axe import serious_faults
from browser.built_page import SITE
from browser.drawn_digits import BARS, DIGITS, NO_DIGITS, SEVEN, normalize, rasterize
from playwright.sync_api import expect
from safetensors import safe_open
from safetensors.numpy import load_file
from scipy import ndimage

import minidl as dl

ADDRESS = "try/draw-a-digit/"
NETWORK = SITE / "try" / "two_layer_mnist.safetensors"
SAMPLES = SITE / "try" / "sample_digits.safetensors"
LAYERS = {"Z1": "0.dense", "A1": "1.relu", "Z2": "2.dense", "A2": "3.softmax"}

# Calls a function of one of the page's modules. Numbers travel as JSON: playwright's own way takes
# seconds for a sheet of paper.
CALL = """async ([module, name, json]) => {
    const page = await import(`/assets/javascripts/draw-a-digit/${module}.js`);
    const typed = (_, value) =>
        Array.isArray(value) && typeof value[0] === "number" ? Float64Array.from(value) : value;
    const plain = (_, value) => (ArrayBuffer.isView(value) ? [...value] : value);
    return JSON.stringify(page[name](...JSON.parse(json, typed)), plain);
}"""
# Lays images onto sheets of paper, each pixel a square of cells; returns what comes back of them.
THERE_AND_BACK = """async ([images, left, top, scale]) => {
    const { normalize } = await import("/assets/javascripts/draw-a-digit/normalize.js");
    const back = JSON.parse(images).map((image) => {
        const sheet = new Float64Array(280 * 280);
        for (let y = 0; y < 28 * scale; y++) {
            for (let x = 0; x < 28 * scale; x++) {
                const [row, column] = [y, x].map((cell) => Math.floor((cell + 0.5) / scale));
                sheet[280 * (top + y) + left + x] = image[28 * row + column];
            }
        }
        return [...normalize(sheet, 280).x];
    });
    return JSON.stringify(back);
}"""
NOW = """async () => {
    const { current } = await import("/assets/javascripts/draw-a-digit/main.js");
    const { cells, ...now } = current();
    return JSON.stringify(now, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value));
}"""
FITS = "(width) => document.documentElement.scrollWidth <= width"
CELLS = """async () => {
    const { current } = await import("/assets/javascripts/draw-a-digit/main.js");
    return JSON.stringify([...current().cells]);
}"""


def call(page, module, name, *values):
    arguments = json.dumps(values, default=np.ndarray.tolist)
    return json.loads(page.evaluate(CALL, [module, name, arguments]))


def there_and_back(page, images, *place):
    return json.loads(page.evaluate(THERE_AND_BACK, [json.dumps(images.tolist()), *place]))


def ink_on_paper(page):
    return np.reshape(json.loads(page.evaluate(CELLS)), (280, 280))


def notes():
    with safe_open(NETWORK, "np") as file:
        return file.metadata()


@pytest.fixture
def drawing(page):
    page.goto(ADDRESS)
    expect(page.locator("#draw-page")).to_have_class("draw ready")
    return page


@pytest.fixture(scope="module")
def model():
    """The network of the page's file, in minidl, float64."""
    arrays = load_file(NETWORK)
    model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    model.build((784,), dtype=np.float64)
    for place in (0, 2):
        model.layers[place].weight = arrays[f"{place}.dense.weight"].astype(np.float64)
        model.layers[place].bias = arrays[f"{place}.dense.bias"].astype(np.float64)
    return model


@pytest.fixture(scope="module")
def mnist():
    if notes()["data"] != "MNIST":
        if "MINIDL_DATA_DIR" in os.environ:
            pytest.fail("the site was built without MNIST, which is at hand: build it again")
        pytest.skip("MNIST is not at hand, and the site was built without it")
    return dl.load_mnist()[1]


def draw(page, strokes):
    """Clear the paper and draw with the mouse."""
    page.locator("#draw-clear").click()
    page.locator("#draw-paper").scroll_into_view_if_needed()
    box = page.locator("#draw-paper").bounding_box()
    for points in strokes:
        for i, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + 1 + x, box["y"] + 1 + y)  # behind the border of one pixel
            if i == 0:
                page.mouse.down()
        page.mouse.up()


def check_layers(page, model):
    """Compare each layer's values now on the page with minidl's; return the page's."""
    now = json.loads(page.evaluate(NOW))
    values = model.trace(np.array([now["x"]]))
    for name, layer in LAYERS.items():
        np.testing.assert_allclose(now[name], values[layer][0], rtol=0, atol=1e-9, err_msg=name)
    return now


def test_float16_reads_every_number_as_numpy_does(drawing):
    bits = np.arange(2**16, dtype=np.uint16)
    read = drawing.evaluate(
        """async () => {
            const { float16 } = await import("/assets/javascripts/draw-a-digit/safetensors.js");
            return Array.from({ length: 65536 }, (_, bits) => float16(bits)).join(" ");
        }"""
    )
    wanted = bits.view(np.float16).astype(np.float64)
    np.testing.assert_array_equal(np.array(read.split(), float), wanted)


def test_every_layer_of_a_drawn_digit_is_minidls(drawing, model):
    for digit, strokes in enumerate(DIGITS):
        draw(drawing, strokes)
        now = check_layers(drawing, model)
        actions = now["actions"][-len(strokes) :]
        drawn = [[(p["x"], p["y"]) for p in action["points"]] for action in actions]
        for recorded, wanted in zip(drawn, strokes, strict=True):
            np.testing.assert_allclose(recorded, wanted, rtol=0, atol=1)  # a mouse has whole pixels
        ink = ink_on_paper(drawing)
        np.testing.assert_allclose(ink, rasterize(drawn), rtol=0, atol=1e-6)
        np.testing.assert_allclose(now["x"], normalize(ink).ravel(), rtol=0, atol=1e-9)
        if notes()["data"] == "MNIST":
            assert np.argmax(now["A2"]) == digit


def test_every_layer_of_the_test_digits_is_minidls(drawing, model, mnist):
    samples = load_file(SAMPLES)
    buttons = drawing.locator("#draw-samples button")
    expect(buttons).to_have_count(len(samples["labels"]))
    read = []
    for k, row in enumerate(samples["rows"]):
        buttons.nth(k).click()
        now = check_layers(drawing, model)
        np.testing.assert_allclose(now["x"], mnist[0][row], rtol=0, atol=1e-6)
        read.append(np.argmax(now["A2"]))
    assert list(samples["labels"]) == list(mnist[1][samples["rows"]])
    assert list(read == samples["labels"]) == [True] * 10 + [False] * 4


def test_real_digits_go_through_the_preprocessing_unchanged(drawing, mnist):
    images = mnist[0][:20]
    back = there_and_back(drawing, images, 0, 0, 10)
    np.testing.assert_allclose(back, images, rtol=0, atol=1e-6)


def test_real_digits_come_back_from_another_size_and_place(drawing, model, mnist):
    away = there_and_back(drawing, mnist[0][:20], 90, 10, 6.5)
    for image, back in zip(mnist[0][:20].reshape(-1, 28, 28), away, strict=True):
        sheet = np.zeros((280, 280))
        sheet[10:192, 90:272] = ndimage.zoom(image, 6.5, order=0, grid_mode=True, mode="nearest")
        np.testing.assert_allclose(back, normalize(sheet).ravel(), rtol=0, atol=1e-9)
    assert np.abs(away - mnist[0][:20]).mean() < 0.02
    same = model.predict(np.array(away)).argmax(1) == model.predict(mnist[0][:20]).argmax(1)
    assert same.mean() >= 0.9


def test_pixels_and_biases_make_up_the_margin(drawing, model):
    draw(drawing, DIGITS[4])
    now = check_layers(drawing, model)
    r, c = np.argsort(now["Z2"])[-2:]
    h = 1e-7  # too small to switch a unit: differences are exact up to rounding
    scores = model.trace(np.array(now["x"]) + np.vstack([np.zeros(784), h * np.eye(784)]))
    margins = scores["2.dense"][:, c] - scores["2.dense"][:, r]
    pixels = now["x"] * (margins[1:] - margins[0]) / h
    arrays = [model.layers[0].weight, model.layers[0].bias]
    arrays += [model.layers[2].weight, model.layers[2].bias]
    network = dict(zip(("W1", "b1", "W2", "b2"), (a.ravel() for a in arrays), strict=True))
    layers = {name: now[name] for name in ("x", "Z1")}
    shown = call(drawing, "network", "pixelContributions", network, layers, int(c), int(r))
    np.testing.assert_allclose(shown["pixels"], pixels, rtol=0, atol=1e-6)
    assert sum(shown["pixels"]) + shown["biases"] == pytest.approx(margins[0], abs=1e-9)
    expect(drawing.locator("#draw-sum dd").last).to_have_text(f"{margins[0]:.2f}")
    expect(drawing.locator("#draw-sum dt").last).to_have_text(f"score of {c} less score of {r}")


def test_a_moved_input_is_scipys(drawing):
    image = normalize(rasterize(DIGITS[2]))
    for degrees, right, down in [(0, 3, -2), (30, 0, 0), (-60, -8, 8), (17, 2, 5)]:
        how = {"degrees": degrees, "right": right, "down": down}
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        back = np.array([[cos, -sin], [sin, cos]])  # from a new (row, column) to where its ink was
        offset = 14 - back @ (14 + np.array([down, right]))
        wanted = ndimage.affine_transform(image, back, offset, order=1)
        moved = np.reshape(call(drawing, "move", "move", image.ravel(), how), (28, 28))
        np.testing.assert_allclose(moved[1:-1, 1:-1], wanted[1:-1, 1:-1], rtol=0, atol=1e-9)


def test_sliders_move_the_input_and_a_button_puts_it_back(drawing, model):
    before = check_layers(drawing, model)["x"]
    drawing.locator("#draw-right").focus()
    for _ in range(3):
        drawing.keyboard.press("ArrowRight")
    expect(drawing.locator("#draw-right-value")).to_have_text("3 px")
    moved = np.reshape(check_layers(drawing, model)["x"], (28, 28))
    np.testing.assert_array_equal(moved[:, 3:], np.reshape(before, (28, 28))[:, :-3])
    drawing.locator("#draw-still").press("Enter")
    expect(drawing.locator("#draw-right-value")).to_have_text("0 px")
    assert check_layers(drawing, model)["x"] == before


def test_a_one_drawn_by_keyboard_is_read_and_undone(drawing, model, mnist):
    drawing.locator("#draw-clear").focus()
    drawing.keyboard.press("Enter")
    drawing.keyboard.press("Shift+Tab")
    paper, help_text = drawing.locator("#draw-paper"), drawing.locator("#draw-help")
    expect(paper).to_be_focused()
    expect(help_text).to_contain_text("Pen up")
    drawing.keyboard.press("ArrowUp")
    assert not ink_on_paper(drawing).any()
    drawing.keyboard.press("Space")
    expect(help_text).to_contain_text("Pen down")
    for _ in range(20):
        drawing.keyboard.press("ArrowDown")
    drawing.keyboard.press("Space")
    drawing.keyboard.press("ArrowDown")
    now = check_layers(drawing, model)
    assert np.argmax(now["A2"]) == 1
    assert len(now["actions"][-1]["points"]) == 21
    answer = drawing.locator("#draw-answer")
    expect(answer).to_contain_text("The network reads 1, with a probability of")
    drawing.locator("#draw-undo").press("Enter")
    assert not ink_on_paper(drawing).any()
    expect(answer).to_contain_text("There is no ink. Biases alone make the network read")


def test_undo_takes_back_strokes_clearing_and_test_digits(drawing):
    undo = drawing.locator("#draw-undo")
    states = [ink_on_paper(drawing)]
    draw(drawing, [SEVEN])
    states += [np.zeros((280, 280)), ink_on_paper(drawing)]
    drawing.locator("#draw-samples button").first.click()
    for state in reversed(states):
        undo.click()
        np.testing.assert_array_equal(ink_on_paper(drawing), state)
    undo.click()
    expect(undo).to_be_disabled()


def test_a_stroke_ends_when_it_is_undone_while_the_hand_still_draws(drawing):
    box = drawing.locator("#draw-paper").bounding_box()
    for button in ("clear", "undo"):
        drawing.mouse.move(box["x"] + 80, box["y"] + 80)
        drawing.mouse.down()
        drawing.locator(f"#draw-{button}").dispatch_event("click")  # as by another finger
        before = ink_on_paper(drawing)
        drawing.mouse.move(box["x"] + 200, box["y"] + 200)
        drawing.mouse.up()
        np.testing.assert_array_equal(ink_on_paper(drawing), before)


def test_what_the_page_says_of_its_experiments(drawing, model, mnist):
    def read(strokes):
        draw(drawing, strokes)
        return np.array(check_layers(drawing, model)["A2"])

    assert read([SEVEN, BARS["half"]])[7] > 0.9
    assert read([SEVEN, BARS["low"]])[2] > 0.9
    for name, strokes in NO_DIGITS.items():
        assert read(strokes).max() > 0.9, name
    corner = read([[(50, 30), (45, 95)]])
    assert corner[1] > 0.9
    drawing.locator("#draw-right").fill("6")
    assert np.argmax(check_layers(drawing, model)["A2"]) != 1


def test_reasons_can_be_asked_for_any_two_digits(drawing):
    drawing.locator("#draw-wanted").select_option("3")
    drawing.locator("#draw-rival").select_option("8")
    total = drawing.locator("#draw-sum dt").last
    expect(total).to_have_text("score of 3 less score of 8")
    expect(drawing.locator("#draw-digits li.chosen .name")).to_have_text("3")
    drawing.locator("#draw-wanted").select_option("8")  # none is compared with itself
    expect(drawing.locator("#draw-rival")).to_have_value("")
    expect(total).to_contain_text("score of 8 less score of")


def test_a_finger_draws_and_does_not_scroll(drawing):
    drawing.locator("#draw-clear").click()
    box = drawing.locator("#draw-paper").bounding_box()
    devtools = drawing.context.new_cdp_session(drawing)
    scrolled = drawing.evaluate("scrollY")
    for kind, y in [("touchStart", 60), *[("touchMove", y) for y in range(70, 230, 10)]]:
        point = {"x": box["x"] + 140, "y": box["y"] + y}
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    points = json.loads(drawing.evaluate(NOW))["actions"][-1]["points"]
    assert points[-1]["y"] - points[0]["y"] == pytest.approx(160, abs=2)
    assert drawing.evaluate("scrollY") == scrolled


def test_pictures_follow_the_scheme(drawing):
    colour = """() => {
        const copy = document.createElement("canvas").getContext("2d");
        copy.drawImage(document.querySelector("#draw-paper"), -140, -75);
        return [...copy.getImageData(0, 0, 1, 1).data];
    }"""
    draw(drawing, [[(60, 75), (220, 75)]])
    drawing.evaluate("new Promise(requestAnimationFrame)")  # drawn with the next frame
    assert max(drawing.evaluate(colour)[:3]) < 80
    drawing.locator("label[title^='Switch to']:visible").click()
    drawing.evaluate("new Promise(requestAnimationFrame)")
    assert min(drawing.evaluate(colour)[:3]) > 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_fits(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(ADDRESS)
    expect(page.locator("#draw-page")).to_have_class("draw ready")
    for width in (320, 390, 800, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(FITS, arg=width)  # the theme's own parts glide to their places
        if width in (390, 1280):
            assert serious_faults(page) == []


def test_a_missing_network_is_said_on_the_page(browser, address):
    page = browser.new_page(base_url=address)
    page.route("**/two_layer_mnist.safetensors", lambda route: route.fulfill(status=404))
    page.goto(ADDRESS)
    expect(page.locator("#draw-answer")).to_contain_text("could not be loaded")
    expect(page.locator("#draw-answer")).to_contain_text("the server answers 404")
    page.close()
