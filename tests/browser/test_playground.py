"""The playground: its engine against minidl, step by step; then used as readers use it."""

import contextlib
import io
import itertools
import json
import re
import warnings

import numpy as np
import pytest
from browser.axe import serious_faults
from playwright.sync_api import expect

import minidl as dl

PAGE = "try/playground/"
STEPS = 100

# Runs the page's own engine on what minidl exported; returns each step's numbers.
REPLAY = """async (exported) => {
    const { settings, params, batches } = JSON.parse(exported);
    const engine = "../../assets/javascripts/playground/engine";
    const { Network } = await import(new URL(`${engine}/network.js`, location));
    const { OPTIMIZERS } = await import(new URL(`${engine}/optimizers.js`, location));
    const network = new Network(settings);
    network.params.set(params);
    const optimizer = OPTIMIZERS[settings.optimizer](settings.learningRate);
    const steps = batches.map(({ x, labels }) => {
        const loss = network.valueAndGrad(Float64Array.from(x), Uint8Array.from(labels));
        const norms = network.gradientNorms();
        optimizer.update(network.params, network.grads);
        return [loss, ...norms, ...network.params];
    });
    return JSON.stringify(steps); // playwright's own way is slow
}"""

PENALTIES = {"none": None, "L1": dl.L1(0.01), "L2": dl.L2(0.02)}
OPTIMIZERS = {
    "SGD": (0.1, lambda: dl.SGD(0.1)),
    "momentum": (0.02, lambda: dl.SGD(0.02, momentum=0.9)),
    "Adam": (0.02, lambda: dl.Adam(0.02)),
}
ACTIVATIONS = ["ReLU", "LeakyReLU", "ELU", "Tanh", "Sigmoid", "none"]
# Units, classes and batch size; each activation meets all of them, with other partners.
SHAPES = [((4, 3), 2, 10), ((8, 8, 8), 3, 1), ((), 4, 32), ((5,), 2, 96)]


def flat_parameters(model):
    """Weights row by row, then the bias, layer by layer, as the page's engine keeps them."""
    arrays = [a for layer in dense_layers(model) for a in (layer.weight, layer.bias)]
    return np.concatenate([np.ravel(a, order="C") for a in arrays])


def dense_layers(model):
    return [layer for layer in model.layers if isinstance(layer, dl.Dense)]


def steps_of_minidl(units, classes, batch_size, activation, penalty, optimizer):
    """Train in minidl; return where it started, its batches, and each step's numbers."""
    layers = []
    for m in units:
        layers.append(dl.Dense(m, weight_penalty=PENALTIES[penalty]))
        layers += [] if activation == "none" else [getattr(dl, activation)()]
    layers += [dl.Dense(classes, weight_penalty=PENALTIES[penalty]), dl.Softmax()]
    model = dl.Sequential(layers).build((2,), rng=7, dtype=np.float64)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(96, 2)), rng.integers(classes, size=96)
    start = flat_parameters(model)
    order = dl.batches(x, y, batch_size=batch_size, rng=0)
    batches = list(itertools.islice(itertools.chain.from_iterable(itertools.repeat(order)), STEPS))
    objective, rule = dl.Objective(model, dl.CrossEntropy()), OPTIMIZERS[optimizer][1]()
    numbers = []
    for xb, yb in batches:
        loss, grads = objective.value_and_grad(xb, yb)
        norms = [np.linalg.norm(layer.gradients["weight"]) for layer in dense_layers(model)]
        rule.update(model.params, grads)
        numbers.append([loss, *norms, *flat_parameters(model)])
    return start, batches, np.array(numbers)


def test_engine_makes_the_steps_of_minidl(page):
    page.goto(PAGE)
    configurations = [
        (activation, penalty, optimizer, SHAPES[(shift + i) % len(SHAPES)])
        for shift, activation in enumerate(ACTIVATIONS)
        for i, (penalty, optimizer) in enumerate(itertools.product(PENALTIES, OPTIMIZERS))
    ]
    for activation, penalty, optimizer, (units, classes, batch_size) in configurations:
        start, batches, expected = steps_of_minidl(
            units, classes, batch_size, activation, penalty, optimizer
        )
        strength = getattr(PENALTIES[penalty], "strength", None)
        settings = {
            "units": units,
            "classes": classes,
            "activation": activation,
            "penalty": strength and {"kind": penalty, "strength": strength},
            "optimizer": optimizer,
            "learningRate": OPTIMIZERS[optimizer][0],
        }
        rows = [{"x": xb.ravel().tolist(), "labels": yb.tolist()} for xb, yb in batches]
        exported = {"settings": settings, "params": start.tolist(), "batches": rows}
        got = np.array(json.loads(page.evaluate(REPLAY, json.dumps(exported))))
        assert got.shape == expected.shape == (STEPS, 2 + len(units) + start.size)
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6, err_msg=str(settings))


def test_random_numbers_are_those_of_numpy(page):
    page.goto(PAGE)
    draw = """async ([seed, key]) => {
        const path = "../../assets/javascripts/playground/engine/random.js";
        const { Generator } = await import(new URL(path, location));
        const rng = new Generator(seed, key);
        return [[...rng.random(3)], rng.permutation(101), [...rng.uniform(-2, 5, 3)]].flat();
    }"""
    for seed, key in [(0, ()), (1, (0, 0)), (9999, (3, 0))]:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        expected = [*rng.random(3), *rng.permutation(101), *rng.uniform(-2, 5, 3)]
        assert page.evaluate(draw, [seed, key]) == expected


# Losses of the run that the form describes, epoch by epoch, with all digits.
LOSSES = """async (epochs) => {
    const scripts = "../../assets/javascripts/playground";
    const { readSettings } = await import(new URL(`${scripts}/settings.js`, location));
    const { Run } = await import(new URL(`${scripts}/engine/run.js`, location));
    const run = new Run(readSettings(document.querySelector("#playground-form")));
    return Array.from({ length: epochs }, () => {
        for (let i = 0; i < run.stepsPerEpoch; i++) run.step();
        const { training, heldOut } = run.evaluate();
        return [training.loss, heldOut.loss];
    });
}"""
RUNS = [
    "",
    "data=xor&layers=8&activation=ReLU&penalty=L2&seed=5",
    "data=gaussians&classes=4&noise=0.3&optimizer=Adam&penalty=L1&strength=0.003",
    "data=spiral&classes=3&activation=ELU&optimizer=momentum&learning_rate=0.03&data_seed=12",
    "data=moons&batch_size=0&activation=Sigmoid&layers=2-2-2&learning_rate=1",
    "data=own&own=0.5,1,0;1,-1,1;-1,0.5,0;-1,-1,2;2,2,2&activation=none&batch_size=1",
    "data=rings&activation=LeakyReLU&noise=0&points=20&batch_size=50",
]


def open_state(page, state):
    """Follow a link to other settings."""
    page.evaluate(
        """(state) => new Promise((done) => {
            addEventListener("hashchange", () => done(), { once: true });
            location.hash = state;
        })""",
        state,
    )


def output_of(program):
    """What a program prints, run in a namespace of its own, where warnings are errors."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(action="error"):
        exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def test_copied_program_prints_the_losses_of_the_page(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.emulate_media(reduced_motion="reduce")  # a link does not start a run
    page.goto(f"{PAGE}#layers=2")
    for state in RUNS:
        open_state(page, state)
        epochs(page, 10)
        page.get_by_role("button", name="Copy as Python").click()
        expect(page.locator("#message")).to_have_text("The program is copied.")
        program = page.evaluate("navigator.clipboard.readText()")
        assert program == page.locator("#program").inner_text()

        output = output_of(program)
        printed = re.findall(r"epoch \d+: loss (\S+), held out (\S+)", output)
        assert len(printed) == 10
        np.testing.assert_allclose(np.array(printed, float), page.evaluate(LOSSES, 10), atol=1e-6)
        shown = [page.locator(name).inner_text() for name in ("#loss", "#held-out-loss")]
        np.testing.assert_allclose(np.array(printed[-1], float), np.array(shown, float), rtol=6e-3)
        accuracy = float(output.split()[-1])
        assert page.locator("#held-out-accuracy").inner_text() == f"{100 * accuracy:.1f} %"


def test_an_open_program_follows_the_run(page):
    page.goto(PAGE)
    page.get_by_text("The same run in Python").click()
    program = page.locator("#program")
    expect(program).to_contain_text("dl.Tanh()")
    setting(page, "Activation").select_option("ELU")
    epochs(page, 3)
    expect(program).to_contain_text("dl.ELU()")
    expect(program).to_contain_text("epochs = 3")
    page.goto(f"{PAGE}#data=own&own=1,1,0;0,0,0")
    page.get_by_role("button", name="Copy as Python").click()
    expect(page.locator("#message")).to_contain_text("at least four points, of two classes")
    expect(program).to_be_empty()


def setting(page, label):
    """A control of the page's form: the site's navigation has labels of the same words."""
    return page.locator("#playground-form").get_by_label(label)


def epochs(page, count):
    """Let the page run so many epochs, without waiting for pictures in between."""
    page.evaluate(
        "(count) => { for (let i = 0; i < count; i++) document.querySelector('#epoch').click(); }",
        count,
    )


def number(page, name):
    return float(page.locator(name).inner_text().removesuffix(" %"))


def gradient_lengths(page):
    return [float(text) for text in page.locator("#gradients output").all_inner_texts()]


def open_experiment(page, name):
    """Open an experiment by its link, and stop the run that begins with it."""
    page.get_by_role("link", name=name).click()
    expect(page.locator("#look-for")).not_to_be_empty()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Restart").click()


def test_without_activations_nothing_is_learned(page):
    page.goto(PAGE)
    open_experiment(page, "Why activations")
    epochs(page, 100)
    assert abs(number(page, "#loss") - np.log(2)) < 0.01
    setting(page, "Activation").select_option("Tanh")
    epochs(page, 100)
    assert number(page, "#accuracy") == 100


def test_too_large_a_learning_rate_never_settles(page):
    page.goto(PAGE)
    open_experiment(page, "Too large a learning rate")
    losses = [training for training, _ in page.evaluate(LOSSES, 150)[9::10]]
    assert max(losses[5:]) > 0.6
    assert sum(b > a for a, b in itertools.pairwise(losses)) >= 5
    setting(page, "Learning rate").select_option("0.1")
    epochs(page, 150)
    assert number(page, "#accuracy") == 100


def test_overfitting_and_the_penalty_against_it(page):
    page.goto(PAGE)
    open_experiment(page, "Overfitting")
    losses = page.evaluate(LOSSES, 300)  # training, held out
    assert losses[-1][0] < 0.05
    assert losses[-1][1] > losses[19][1] + 0.2
    setting(page, "Penalty").select_option("L2")
    losses = page.evaluate(LOSSES, 300)
    assert losses[-1][1] < losses[19][1] + 0.02


def test_dead_units_are_crossed_out_and_get_no_gradient(page):
    page.goto(PAGE)
    open_experiment(page, "Dead units")
    epochs(page, 60)
    dead = page.locator(".unit.dead")
    assert dead.count() >= 8
    expect(dead.first).to_have_attribute("aria-label", re.compile(r"Layer \d, unit \d, dead"))
    expect(page.locator("#unit-facts")).to_contain_text(f"{dead.count()} dead units")
    assert gradient_lengths(page) == [0, 0, 0]
    setting(page, "Learning rate").select_option("0.3")
    epochs(page, 60)
    assert dead.count() == 0


def test_deep_sigmoid_network_stalls(page):
    page.goto(PAGE)
    open_experiment(page, "Vanishing gradients")
    for _ in range(3):
        epochs(page, 40)
        first, *_, last = gradient_lengths(page)
        assert first < last / 50
    assert abs(number(page, "#loss") - np.log(2)) < 0.02
    for activation in ("Tanh", "ReLU"):
        setting(page, "Activation").select_option(activation)
        epochs(page, 36)
        assert number(page, "#accuracy") > 97


def test_three_arms_are_learned(page):
    page.goto(PAGE)
    open_experiment(page, "Three arms")
    epochs(page, 150)
    assert number(page, "#held-out-accuracy") > 93


def test_run_pause_step_and_restart_by_mouse(page):
    page.goto(PAGE)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#epochs")).to_have_text(re.compile(r"^\d{2,}$"))
    page.get_by_role("button", name="Pause").click()
    steps = int(number(page, "#steps"))
    loss = number(page, "#loss")
    expect(page.locator("#message")).to_contain_text(f"step {steps}: loss")
    page.get_by_role("button", name="Step").click()
    assert number(page, "#steps") == steps + 1
    page.get_by_role("button", name="Restart").click()
    assert number(page, "#steps") == 0
    assert number(page, "#loss") > loss
    assert page.locator("#gradients output").all_inner_texts() == ["\u2013"] * 3


def test_network_is_built_by_buttons(page):
    page.goto(PAGE)
    shape = page.locator("#shape")
    expect(shape).to_have_text("2-4-3-2")
    page.get_by_role("button", name="One unit more in layer 2").click()
    page.get_by_role("button", name="One unit fewer in layer 1").click()
    expect(page.get_by_role("button", name="One unit fewer in layer 1")).to_be_focused()
    page.get_by_role("button", name="Add a layer").click()
    setting(page, "Classes").select_option("4")
    expect(shape).to_have_text("2-3-4-4-4")
    assert page.locator(".unit").count() == 2 + 3 + 4 + 4 + 4
    for _ in range(3):
        page.get_by_role("button", name="Remove a layer").click()
    expect(shape).to_have_text("2-4")
    expect(page.get_by_role("button", name="Remove a layer")).to_be_disabled()


def picture(page):
    return page.locator("#plane").evaluate("(canvas) => canvas.toDataURL()")


def test_a_unit_is_shown_large(page):
    page.goto(PAGE)
    decision = picture(page)
    unit = page.get_by_role("button", name="Layer 2, unit 3")
    unit.click()
    expect(unit).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#unit-facts")).to_contain_text("Layer 2, unit 3: weights")
    assert picture(page) != decision
    unit.click()
    assert picture(page) == decision


def test_points_are_drawn_by_mouse(page):
    page.goto(PAGE)
    page.get_by_role("button", name="Run").click()
    setting(page, "Points from").select_option("own")
    page.get_by_role("button", name="Clear the plane").click()
    expect(page.locator("#message")).to_have_text("All points are gone.")
    for name in ("Run", "Step", "Epoch"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#message")).to_contain_text("at least four points, of two classes")
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    plane = page.locator("#plane")
    side = plane.bounding_box()["width"]
    plane.click(position={"x": side / 2, "y": side / 4})
    page.get_by_role("radio", name="Class 1").check()
    plane.click(position={"x": side / 4, "y": side / 2})
    plane.click(position={"x": side / 3, "y": side / 2})
    page.get_by_role("button", name="Undo").click()
    own = page.locator("[name=own]").input_value()
    points = np.array([point.split(",") for point in own.split(";")], float)
    np.testing.assert_allclose(points, [[0, 1.5, 0], [-1.5, 0, 1]], atol=0.03)
    assert number(page, "#steps") == 0


def test_a_finger_adds_a_point_and_scrolls_the_page(browser, address):
    context = browser.new_context(base_url=address, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{PAGE}#data=own")
    plane = page.locator("#plane")
    own = page.locator("[name=own]")
    plane.tap()
    expect(own).to_have_value(re.compile("^[^;]+,0$"))
    point = own.input_value()
    box = plane.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    devtools = context.new_cdp_session(page)
    scrolled = page.evaluate("scrollY")
    for kind, up in [("touchStart", 0), *[("touchMove", up) for up in range(10, 110, 10)]]:
        touch = {"x": x, "y": y - up}
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [touch]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("(before) => scrollY > before", arg=scrolled)
    expect(own).to_have_value(point)
    context.close()


def test_points_of_a_data_set_can_be_taken_over(page):
    page.goto(f"{PAGE}#points=400&noise=1")
    setting(page, "Points from").select_option("own")
    points = page.locator("[name=own]").input_value()
    values = np.array([point.split(",") for point in points.split(";")], float)
    assert values.shape == (400, 3)
    assert abs(values).max() == 3  # what lies outside is brought to the edge
    page.wait_for_url("**own=*")
    page.reload()
    expect(page.locator("#message")).to_be_empty()
    expect(page.locator("[name=own]")).to_have_value(points)


def test_everything_goes_by_keyboard(page):
    page.goto(PAGE)
    setting(page, "Points from").focus()
    page.keyboard.press("End")  # the last choice: your own
    expect(page.locator("#message")).to_contain_text("points of before")
    page.get_by_role("button", name="Clear the plane").focus()
    page.keyboard.press("Enter")
    page.locator("#plane").focus()
    for keys in ("1 ArrowUp Enter", "Shift+ArrowUp Space", "2 Shift+ArrowDown Enter",
                 "Shift+ArrowDown Enter", "ArrowLeft Enter Delete"):  # fmt: skip
        for key in keys.split():
            page.keyboard.press(key)
    expect(page.locator("[name=own]")).to_have_value("0,0.1,0;0,0.6,0;0,0.1,1;0,-0.4,1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#message")).to_have_text("x1 = 0, x2 = -0.4")

    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#epochs")).to_have_text(re.compile(r"^\d{2,}$"))
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Step")).to_be_focused()
    page.get_by_role("button", name="One unit more in layer 1").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#shape")).to_have_text("2-6-3-2")
    page.get_by_role("button", name="Layer 1, unit 6").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#unit-facts")).to_contain_text("Layer 1, unit 6")


def open_table(page):
    page.goto(f"{PAGE}#data=own")
    page.get_by_text("Paste a table").click()


def paste(page, text):
    setting(page, "One point a line").fill(text)
    page.get_by_role("button", name="Use these points").click()


def test_pasted_table_with_a_fault_is_explained(page):
    open_table(page)
    for text, error in [
        ("x,y,label\n1,2,a\n1,two,b", 'Line 3: expected a number for y, got "two".'),
        ("1,2,a\n\n1,2", "Line 3: expected x, y, label, got 2 values."),
        ("1,2,a\n3,4,a", "Expected at least two different labels."),
        ("", "Expected at least two different labels."),
        ("x,y,label", 'Line 1: expected a number for x, got "x".'),
        ("\n".join(f"1,2,{c}" for c in "abcde"), 'Line 5: expected at most 4 labels, got "e" too.'),
        ("1,2,a\n2,1,b\n" * 300, "Line 501: expected at most 500 points."),
        ("1,2,<img src=x onerror=alert(1)>\n1,b,c", "Line 1: expected x, y, label, got 5 values."),
        ("1,2,a\n1e999,1,b", 'Line 2: expected a number for x, got "1e999".'),
    ]:
        paste(page, text)
        expect(page.get_by_role("alert")).to_have_text(error)
        expect(page.locator("[name=own]")).to_have_value("")


def test_pasted_table_is_used_and_scaled(page):
    open_table(page)
    paste(page, "width height species\n10\t200\trose\n20;100;iris\n15, 150, iris\n12 120 <b>")
    expect(page.get_by_role("alert")).to_be_empty()
    expect(page.locator("#message")).to_have_text(
        "4 points: <b> is class 0, iris is class 1, rose is class 2. "
        "Both axes are scaled to fit the plane."
    )
    points = "-2.55,2.55,2;2.55,-2.55,1;0,0,1;-1.53,-1.53,0"
    expect(page.locator("[name=own]")).to_have_value(points)
    expect(page.locator("#shape")).to_have_text("2-4-3-3")
    # So large that a sum overflows; and so close together that they would be one point.
    paste(page, "1.6e308 0.001 a\n1.2e308 0.002 b\n0.8e308 0.003 a")
    expect(page.locator("[name=own]")).to_have_value("2.55,-2.55,0;0,0,1;-2.55,2.55,0")


def test_a_link_holds_all_settings(page):
    page.goto(PAGE)
    assert page.evaluate("location.hash") == ""
    setting(page, "Points from").select_option("spiral")
    setting(page, "Noise").fill("0.3")
    setting(page, "Activation").select_option("ReLU")
    setting(page, "Optimizer").select_option("Adam")
    setting(page, "Penalty").select_option("L1")
    setting(page, "Seed of the weights").fill("42")
    page.get_by_role("button", name="Add a layer").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#message")).to_have_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    page.wait_for_url(link)
    epochs(page, 3)
    loss, before = number(page, "#loss"), picture(page)

    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#shape")).to_have_text("2-4-3-4-2")
    expect(setting(page, "Noise")).to_have_value("0.3")
    epochs(page, 3)
    assert number(page, "#loss") == loss
    assert picture(page) == before


def test_a_link_with_faults_is_read_as_far_as_it_goes(page):
    page.goto(f"{PAGE}#layers=4-99&activation=ELU&noise=7&own=1,2&speed=9")
    expect(page.locator("#message")).to_have_text(
        "This link has parts that mean nothing here: layers=4-99, noise=7, own=1,2, speed=9."
    )
    expect(setting(page, "Activation")).to_have_value("ELU")
    expect(page.locator("#shape")).to_have_text("2-4-3-2")


def test_points_of_a_link_lie_on_the_plane_and_are_not_too_many(page):
    page.goto(PAGE)
    too_many = ";".join(["0,0,0", "1,1,1"] * 251)
    for own in (";0,0,0;1,1,1", "0,0,0;", "3.5,0,0;1,1,1", "NaN,0,0", "0,0,4", too_many):
        open_state(page, f"data=own&own={own}")
        expect(page.locator("#message")).to_contain_text(f"mean nothing here: own={own}"[:100])
        expect(page.locator("[name=own]")).to_have_value("")
    assert len(page.locator("#message").inner_text()) < 300


def test_a_link_is_followed_though_the_address_is_written_in_the_same_moment(page):
    page.goto(PAGE)
    page.evaluate(
        """() => {
            location.hash = "layers=7";
            history.replaceState(null, "", location.pathname); // as the page does after a change
        }"""
    )
    expect(page.locator("#shape")).to_have_text("2-7-2")
    page.wait_for_url("**/#layers=7")


def test_back_leads_to_the_settings_of_before(page):
    page.goto(PAGE)
    open_experiment(page, "Three arms")
    page.go_back()
    expect(page.locator("#shape")).to_have_text("2-4-3-2")
    assert number(page, "#steps") == 0
    page.go_forward()
    expect(page.locator("#shape")).to_have_text("2-8-8-3")


def test_pressing_run_in_haste_does_not_make_it_faster(page):
    page.goto(PAGE)
    counts = page.evaluate(
        """async () => {
            for (let i = 0; i < 7; i++) document.querySelector("#run").click();
            const counts = [];
            for (let i = 0; i < 10; i++) {
                await new Promise(requestAnimationFrame);
                counts.push(Number(document.querySelector("#epochs").textContent));
            }
            return counts;
        }"""
    )
    assert max(np.diff(counts)) == 1  # one epoch a picture


def test_a_heading_in_the_address_is_left_alone(page):
    page.goto(f"{PAGE}#what-you-see")
    expect(page.locator("#message")).to_be_empty()
    assert page.evaluate("location.hash") == "#what-you-see"


def test_a_loss_that_is_no_number_stops_the_run(page):
    page.goto(f"{PAGE}#activation=LeakyReLU&optimizer=momentum&learning_rate=10&batch_size=1")
    setting(page, "Speed").select_option("fast")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#message")).to_contain_text("The loss is no finite number after step")
    expect(page.get_by_role("button", name="Run")).to_be_visible()


def test_nothing_moves_by_itself_where_motion_is_reduced(page):
    page.emulate_media(reduced_motion="reduce")
    page.goto(PAGE)
    page.get_by_role("link", name="Overfitting").click()
    expect(page.locator("#look-for")).not_to_be_empty()
    page.wait_for_timeout(300)
    assert number(page, "#steps") == 0
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#epochs")).to_have_text(re.compile(r"^[1-9]"))


def test_pictures_follow_the_colour_scheme(page):
    page.emulate_media(color_scheme="light")
    page.goto(PAGE)
    light = picture(page)
    page.locator("label[title^='Switch to']:visible").click()
    page.wait_for_function("(light) => document.querySelector('#plane').toDataURL() !== light",
                           arg=light)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_fits(page, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(f"{PAGE}#layers=8-8-8-8-8&classes=4&activation=ReLU")
    page.get_by_role("button", name="Copy as Python").click()
    for width in (1280, 390, 320):
        check_faults_and_width(page, width)
    open_state(page, "data=own&own=0,0,0;1,1,1;0,1,0;1,0,1")
    page.get_by_text("Paste a table").click()
    check_faults_and_width(page, 390)


FITS = "(width) => document.documentElement.scrollWidth <= width"


def check_faults_and_width(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(FITS, arg=width)  # the theme's own parts glide to their places
    assert serious_faults(page) == []
