import copy
import pickle
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from explaining.cases import CASES, page_of

import minidl as dl


def network(dtype=np.float64):
    layers = [dl.Dense(3), dl.ReLU(), dl.Dropout(0.5), dl.BatchNorm(), dl.Dense(2), dl.Softmax()]
    return dl.Sequential(layers).build((2,), rng=0, dtype=dtype)


X, Y = np.array([[1.0, 2.0], [2.0, -1.0], [0.5, 0.5]]), np.array([0, 1, 1])


def explain(model=None, x=X, y=Y, loss=None, optimizer=None, **options):
    loss, optimizer = loss or dl.CrossEntropy(), optimizer or dl.SGD(0.5)
    return dl.explain_step(model or network(), x, y, loss, optimizer, **options)


def everything(model, loss, optimizer):
    generators = [layer._rng and layer._rng.bit_generator.state for layer in model.walk()]
    kept = {name: a.tolist() for name, a in optimizer.state.items()}
    arrays = [a.tolist() for a in (model.params, model.grads, model.state)]
    return copy.deepcopy((arrays, generators, kept, optimizer.steps, sorted(vars(loss))))


@pytest.mark.parametrize("steps_before", [0, 2])
def test_everything_stays_as_it_is_and_the_next_step_is_the_one_explained(steps_before):
    model, loss, optimizer = network(), dl.CrossEntropy(), dl.Adam(0.1)
    objective = dl.Objective(model, loss)
    for _ in range(steps_before):
        optimizer.update(model.params, objective.value_and_grad(X, Y)[1], decay=model.decay_mask)
    before = everything(model, loss, optimizer)
    page = explain(model, X, Y, loss, optimizer, digits=10)
    assert everything(model, loss, optimizer) == before
    assert explain(model, X, Y, loss, optimizer, digits=10) == page  # the same draws again
    value, grads = objective.value_and_grad(X, Y)
    assert f"{value:.10f} \\to" in page.markdown
    optimizer.update(model.params, grads, decay=model.decay_mask)
    for number in np.abs(model.params[model.params != 0]):
        assert f"{number:.10f}"[:11] in page.markdown


class Balance(HTMLParser):
    """Collects what is opened, and notes what is not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_html_is_well_formed_and_says_what_the_markdown_says(case):
    page = page_of(str(case), 4)
    parser = Balance()
    parser.feed(page.html)
    assert (parser.open, parser.faults) == ([], [])
    assert not parser.tags & {"script", "link", "img", "iframe", "a"}
    assert not re.search(r"url\(|@import|src=", page.html)
    assert set(re.findall(r"https?://[^\"<]*", page.html)) == {"http://www.w3.org/1998/Math/MathML"}
    formulas = re.findall(r"<math.*?</math>", page.html, flags=re.DOTALL)
    arity = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "msubsup": 3}
    for formula in formulas:
        for element in ET.fromstring(formula).iter():
            tag = element.tag.rpartition("}")[2]
            assert len(element) == arity.get(tag, len(element))
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.html, flags=re.DOTALL)
    decimals = r"\d+\.\d{3,}"
    assert re.findall(decimals, text) == re.findall(decimals, page.markdown)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_markdown_is_balanced(case):
    source = page_of(str(case), 4).markdown
    assert source.count("$$") % 2 == 0
    words = re.sub(r"\$\$\n.*?\n\$\$", "", source, flags=re.DOTALL)
    assert words.count("$") % 2 == 0
    assert words.count("`") % 2 == 0
    for formula in re.findall(r"\$\$\n(.*?)\n\$\$", source, flags=re.DOTALL):
        assert "\n\n" not in formula  # or Markdown would end it there
        assert formula.count("{") == formula.count("}")
        assert formula.count(r"\left") == formula.count(r"\right") + formula.count(r"\leftarrow")
        assert formula.count(r"\begin") == formula.count(r"\end")


def test_letters_are_those_of_the_two_layer_network():
    source = explain().markdown
    order = ["Z_{1} &= X W_{1} + b_{1}", "A_{1} &= \\max", "A_{1}' &= A_{1} \\odot M_{1}"]
    order += ["Z_{2} &= A_{1}'' W_{2} + b_{2}", "A_{2} &= \\operatorname{softmax}"]
    order += [
        "dZ_{2} &= \\frac{1}{N} \\left( A_{2} - Y \\right)",
        "dW_{2} &= {A_{1}''}^{\\top} dZ_{2}",
    ]
    order += ["dA_{1} &= dA_{1}' \\odot M_{1}", "dZ_{1} &= dA_{1} \\odot [ Z_{1} > 0 ]"]
    order += ["dW_{1} &= {X}^{\\top} dZ_{1}", "W_{1} &\\leftarrow W_{1} - \\eta dW_{1}"]
    places = [source.index(formula) for formula in order]
    assert places == sorted(places)
    assert "A letter with a prime" in source
    assert "$dX$ is not needed" in source


def test_letters_never_stand_for_two_things():
    layers = [dl.ReLU(), dl.LayerNorm(), dl.Dense(3), dl.LayerNorm(), dl.Tanh(), dl.LayerNorm()]
    model = dl.Sequential([*layers, dl.Tanh(), dl.Dense(2), dl.Softmax()]).build((2,), rng=0)
    forward = explain(model).markdown.split("## The loss")[0]
    for symbol in ("A_{0}", "A_{0}'", "Z_{1}'", "A_{1}", "A_{1}'", "A_{1}''", r"\gamma_{1}'"):
        assert len(re.findall(rf"^{re.escape(symbol)} (?:&=|=)", forward, re.MULTILINE)) == 1, (
            symbol
        )


def test_parameters_have_their_letters_or_their_names():
    class Odd(dl.Layer):
        def parameter_specs(self, input_shape):
            return [dl.ParameterSpec("half_life", input_shape, dl.Ones())]

        def forward(self, x, *, training=False, out=None):
            if training:
                self.save_for_backward(x)
            return x * self.half_life

        def backward(self, dy, *, input_grad=True, out=None):
            (x,) = self.saved()
            self.gradients["half_life"] = (dy * x).sum(axis=0)
            return dy * self.half_life

    branches = dl.Parallel([dl.Dense(1), dl.Dense(1)], merge="concat")
    model = dl.Sequential([Odd(), branches, dl.Softmax()]).build((2,), rng=0)
    page = explain(model)
    assert r"d\text{half\_life}_{1}" in page.markdown
    assert "W_{2}' &=" in page.markdown
    assert "<mtext>half_life</mtext>" in page.html


def test_long_rows_and_columns_lose_their_middle():
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((40,), rng=0)
    page = explain(model, np.ones((12, 40)), np.zeros(12, int))
    assert page.markdown.count(r"\vdots") > 3
    assert r" & \cdots & 1 & 1 \\" in page.markdown
    assert r"(12, 40)" in page.markdown
    assert "⋮" in page.html
    assert "The other samples go the same way." in page.markdown


def test_scores_of_any_size():
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((2,), rng=0, dtype=float)
    model.layers[0].weight = [[900.0, -900.0], [0.0, 0.0]]
    source = explain(model).markdown
    assert "too near 0 or 1 for the digits" in source
    assert r"\ell_{2} = 3600" in source
    assert "cancels in the fraction" in source
    assert "nan" not in source
    assert "inf" not in source


def test_probabilities_near_1_keep_the_digits_that_their_logarithm_needs():
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((1,), rng=0, dtype=float)
    model.layers[0].weight = [[9.0, 0.0]]
    source = explain(model, [[1.0]], [0]).markdown
    probability, loss = re.findall(r"- \\ln ([\d.]+) = (\S+)\n", source)[0]
    assert probability == "0.9998766"
    assert -np.log(float(probability)) == pytest.approx(float(loss), rel=1e-3)


def test_logarithms_of_powers_of_ten_stand_in_brackets():
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((1,), rng=0, dtype=float)
    model.layers[0].weight = [[12.0, 0.0]]
    assert r"- \ln ( 6.144 \cdot 10^{-6} ) = 12" in explain(model, [[1.0]], [1]).markdown


def test_probabilities_whose_digits_float32_has_lost_are_not_worked_out():
    model = dl.Sequential([dl.Dense(1), dl.Sigmoid()]).build((1,), rng=0)
    model.layers[0].weight = [[12.0]]
    source = explain(model, [[1.3], [0.1]], [[0], [0]], dl.BinaryCrossEntropy()).markdown
    assert "too near 0 or 1 for the digits" in source
    assert r"\ell_{1} = 15.6" in source
    assert r"\ell_{2} = - [ 0 \cdot \ln 0.7685" in source


def test_small_and_large_numbers_have_a_power_of_ten():
    model = dl.Sequential([dl.Dense(1)]).build((1,), dtype=float)
    model.layers[0].weight = [[2.5e-7]]
    x, y = np.array([[1.0], [3e6]]), np.array([[0.0], [1.0]])
    page = explain(model, x, y, dl.MeanSquaredError(), dl.SGD(1e-13))
    assert r"W_{1} &= \underset{(1, 1)}{\left[\!\begin{array}{r} 2.5 \cdot 10^{-7}" in page.markdown
    assert r"3 \cdot 10^{6}" in page.markdown
    assert "<msup><mn>10</mn><mn>−7</mn></msup>" in page.html  # noqa: RUF001


def test_numbers_are_as_short_as_they_are_exact():
    model = dl.Sequential([dl.Dense(1)]).build((2,), dtype=np.float32)
    model.layers[0].weight = [[0.1], [1 / 3]]
    source = explain(model, X, Y[:, None], dl.MeanSquaredError()).markdown
    assert r"1.0 & 2.0 \\ 2.0 & -1.0 \\ 0.5 & 0.5" in source
    assert r"0.1000 \\ 0.3333" in source
    assert r"0.1 + 2" not in source


def test_saved_and_shown(tmp_path):
    page = explain()
    page.save(tmp_path / "new" / "step.html")
    page.save(tmp_path / "step.md")
    assert (tmp_path / "new" / "step.html").read_text("utf-8") == page.html
    assert (tmp_path / "step.md").read_text("utf-8") == f"# One training step\n\n{page.markdown}"
    assert str(page) == page.markdown
    assert page._repr_html_() in page.html
    assert pickle.loads(pickle.dumps(page)) == page
    with pytest.raises(dl.ArgumentError, match=r"got the name 'a.pdf'. Name it a.md or a.html"):
        page.save(tmp_path / "a.pdf")


def test_names_of_users_cannot_break_the_page():
    class Evil(dl.ReLU):
        def __repr__(self):
            return "Evil(`$x$`, <script>)"

        def forward(self, x, *, training=False, out=None):
            return super().forward(x, training=training, out=out)

    model = dl.Sequential([dl.Dense(2), Evil(), dl.Dense(2), dl.Softmax()]).build((2,), rng=0)
    page = explain(model)
    assert "``Evil(`$x$`, <script>)``" in page.markdown
    assert "<script" not in page.html


@pytest.mark.parametrize(
    ("units", "samples", "message"),
    [
        (3, 1001, r"x \(1001, 2\) has 2,002 numbers.*at most 2,000"),
        (1001, 1, r"Dense\(1001\) in layer 0 of Sequential: its weight \(2, 1001\)"),
        (700, 3, r"Dense\(700\) in layer 0 of Sequential: its output \(3, 700\) has 2,100"),
    ],
)
def test_too_large_to_follow(units, samples, message):
    model = dl.Sequential([dl.Dense(units), dl.Dense(2), dl.Softmax()]).build((2,), rng=0)
    with pytest.raises(dl.ArgumentError, match=message):
        explain(model, np.zeros((samples, 2)), np.zeros(samples, int))


def test_mistakes_are_named():
    with pytest.raises(dl.StateError, match="is not built"):
        explain(dl.Sequential([dl.Dense(2)]))
    with pytest.raises(dl.ArgumentError, match="is a part of another model"):
        explain(network().layers[0])
    with pytest.raises(dl.ArgumentTypeError, match=r"write CrossEntropy\(...\)"):
        explain(loss=dl.CrossEntropy)
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, 2\), got \(3, 3\)"):
        explain(x=np.ones((3, 3)))
    with pytest.raises(dl.DataError, match="labels"):
        explain(y=[0, 1, 2])
    with pytest.raises(dl.DataError, match="NaN"):
        explain(x=np.full((3, 2), np.nan))
    with pytest.raises(dl.ArgumentError, match=r"Softmax.* has no parameters"):
        explain(dl.Softmax().build((2,)))
    for digits in (1, 16):
        with pytest.raises(dl.ArgumentError, match=f"from 2 to 15, got {digits}"):
            explain(digits=digits)


def test_an_optimizer_without_a_rule_is_named():
    class Whole(dl.SGD):
        def update(self, params, grads, *, decay=None, trainable=None):
            params -= 0.1 * grads

    with pytest.raises(dl.ArgumentError, match=r"Whole\(0\.1\) makes updates without its method"):
        explain(optimizer=Whole(0.1))


def test_targets_that_are_no_single_class_are_not_said_to_be():
    hard, smooth = (explain(loss=dl.CrossEntropy(label_smoothing=s)).markdown for s in (0.0, 0.1))
    for words in ("with a 1 in the place of the class", "under the 1 of $Y$"):
        assert words in hard
        assert words not in smooth
    assert "rows, smoothed:" in smooth
    assert "weighted by $Y$" in explain(y=[[0.5, 0.5], [1, 0], [0, 1]]).markdown


def test_a_mean_over_steps_that_count_is_not_said_to_be_one_over_all():
    assert "as a mean over the steps that the mask lets count" in page_of("a mask", 4).markdown
    assert r"with $\frac{1}{N}$ in it" in page_of("Huber", 4).markdown


def test_answers_may_be_true_and_false():
    model = dl.Sequential([dl.Dense(1), dl.Sigmoid()]).build((2,), rng=0)
    pages = [
        explain(model, y=np.array([[1], [0], [1]], kind), loss=dl.BinaryCrossEntropy())
        for kind in (bool, np.uint8, float)
    ]
    assert pages[0] == pages[1] == pages[2]


def test_losses_of_steps_and_pixels_are_not_said_to_be_of_samples():
    steps = page_of("steps of sequences", 4).markdown
    assert "`CrossEntropy(from_logits=True)` of $Z_{2}$, of each step:" in steps
    assert "is their mean, with $N = 6$" in steps
    assert "`Huber()` of $Z_{2}$, of each sample:" in page_of("Huber", 4).markdown
    model = dl.Sequential([dl.Conv2D(2, 1), dl.Softmax()]).build((1, 2, 1), rng=0)
    pixels = explain(model, np.ones((1, 1, 2, 1)), np.zeros((1, 1, 2), int)).markdown
    assert "of $Z_{1}$, of each pixel:" in pixels


def test_the_number_of_outputs_that_a_mean_goes_over_is_named():
    for case in ("squares", "yes or no"):
        page = page_of(case, 4).markdown
        assert "the mean over samples and outputs, with $M = 2$," in page


def test_a_norm_that_is_clipped_says_what_is_in_it():
    layers = [dl.Dense(2, weight_penalty=dl.L2(0.1)), dl.Softmax()]
    model = dl.Sequential(layers).build((2,), rng=0)
    page = explain(model, optimizer=dl.SGD(0.1, clip_norm=0.1)).markdown
    assert "All gradients together, with those of penalties, have the norm" in page
    page = explain(optimizer=dl.SGD(0.1, clip_norm=0.1)).markdown
    assert "All gradients together have the norm" in page


def test_normalization_gives_epsilon_its_number():
    assert r"its deviation; $\varepsilon = 1 \cdot 10^{-5}$" in page_of("LayerNorm()", 4).markdown


def test_a_model_that_is_frozen_is_named():
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((2,), rng=0)
    model.layers[0].trainable = False
    with pytest.raises(dl.ArgumentError, match=r"all layers of Sequential are frozen"):
        explain(model)


def test_a_loss_that_is_not_finite_is_named():
    model = dl.Sequential([dl.Dense(1)]).build((2,), rng=0)
    model.params = model.params + 1e30
    with pytest.raises(dl.DivergenceError, match="not finite although x is"):
        explain(model, X, Y[:, None], dl.MeanSquaredError())
    model = dl.Sequential([dl.Dense(1)]).build((2,), rng=0)
    with pytest.raises(dl.DivergenceError, match=r"after the step of SGD\(1e\+30\)"):
        explain(model, X, Y[:, None], dl.MeanSquaredError(), dl.SGD(1e30))


def test_probabilities_of_0_and_1_for_yes_or_no():
    model = dl.Sequential([dl.Dense(1), dl.Sigmoid()]).build((2,), rng=0, dtype=float)
    model.layers[0].weight = [[900.0], [0.0]]
    source = explain(model, X, [[0], [0], [1]], dl.BinaryCrossEntropy()).markdown
    assert r"\ell_{1} = 900" in source
    assert r"\ln 0 " not in source


def test_word_indices_are_shown():
    layers = [dl.Embedding(5, 2), dl.Flatten(), dl.Dense(2), dl.Softmax()]
    page = explain(dl.Sequential(layers).build((3,), rng=0), [[0, 1, 4], [2, 2, 3]], [0, 1])
    assert (
        r"X &= \underset{(2, 3)}{\left[\!\begin{array}{rrr} 0 & 1 & 4 \\ 2 & 2 & 3" in page.markdown
    )
    assert "one row for each place on the first" in page.markdown


def test_losses_on_steps_name_their_own_activation():
    model = dl.Sequential([dl.Dense(2)]).build((3, 2), rng=0)
    loss = dl.CrossEntropy(from_logits=True)
    page = explain(model, np.ones((2, 3, 2)), [[0, 1, 1], [1, 0, 0]], loss)
    assert r"P &= \operatorname{softmax} ( Z_{1} )" in page.markdown
