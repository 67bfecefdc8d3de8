"""The search finds what people type: the page that answers is among the first three results."""

import re

from playwright.sync_api import expect

WANTED = {
    "dying relu": ["learn/common-mistakes", "glossary"],
    "dead neurons": ["learn/common-mistakes", "glossary"],
    "softmax twice": ["learn/common-mistakes", "learn/softmax-and-cross-entropy"],
    "nan loss": ["learn/common-mistakes", "glossary"],
    "loss is nan": ["learn/common-mistakes", "glossary"],
    "learning rate too high": ["learn/common-mistakes", "learn/optimizers"],
    "find learning rate": ["api/training/learning_rate_range", "build/training"],
    "vanishing gradient": ["learn/n-layers", "glossary"],
    "exploding gradient": ["learn/n-layers", "glossary"],
    "gradient clipping": ["glossary", "build/training", "api/optimizers"],
    "overfitting": ["learn/regularization", "glossary"],
    "early stopping": ["api/training/early_stopping", "glossary", "build/training"],
    "dropout": ["api/layers/dropout"],
    "weight decay": ["glossary", "learn/regularization", "api/optimizers/adamw"],
    "batch size": ["learn/why-the-mean", "glossary"],
    "batch normalization": ["api/layers/batch_norm", "glossary"],
    "class weights": ["api/losses/class_weights"],
    "imbalanced classes": ["glossary", "api/losses/class_weights", "build/training"],
    "accuracy": ["api/metrics/accuracy"],
    "confusion matrix": ["api/metrics/confusion_matrix"],
    "shape error": ["learn/why-dimensions", "api/errors", "learn/common-mistakes"],
    "expected input of shape": ["learn/why-dimensions", "learn/common-mistakes"],
    "gradient check": ["glossary", "api/testing", "build/adding-a-layer"],
    "numerical gradient": ["api/testing", "glossary"],
    "custom layer": ["build/adding-a-layer"],
    "custom loss": ["build/own-loss-and-optimizer"],
    "custom optimizer": ["build/own-loss-and-optimizer"],
    "save model": ["build/keeping"],
    "load model": ["build/keeping", "api/io"],
    "resume training": ["build/keeping", "api/training/checkpoint", "glossary"],
    "onnx": ["api/onnx"],
    "from pytorch": ["build/coming-from-pytorch"],
    "keras equivalent": ["build/coming-from-keras"],
    "mlpclassifier": ["api/sklearn", "build/sklearn", "build/coming-from-sklearn"],
    "load mnist": ["api/datasets/mnist"],
    "csv file": ["api/datasets/csv_batches", "build/data"],
    "data augmentation": ["api/augmentation", "glossary", "build/data"],
    "conv2d padding": ["api/layers/conv2d", "learn/convolutions"],
    "receptive field": ["learn/convolutions", "glossary"],
    "lstm": ["api/layers/lstm"],
    "attention": ["learn/attention"],
    "embedding": ["api/layers/embedding"],
    "backpropagation": ["learn/backpropagation"],
    "chain rule": ["learn/backpropagation", "glossary"],
    "he initialization": ["learn/initialization", "glossary"],
    "adam": ["api/optimizers/adam"],
    "momentum": ["learn/optimizers", "api/optimizers/sgd"],
    "cosine schedule": ["api/optimizers/schedules", "learn/optimizers"],
    "transpose weights": ["learn/notation", "learn/common-mistakes"],
    "samples are columns": ["learn/notation", "learn/common-mistakes"],
    "worked example": ["learn/worked-example"],
    "draw a digit": ["try/draw-a-digit"],
    "playground": ["try/playground"],
    "install": ["build/quick-start", "index.html"],
    "how fast": ["build/speed", "build/doctor"],
    "reproducible seed": ["glossary"],
}


def first_pages(page, query):
    """The pages of the first three results."""
    field = page.locator("input.md-search__input")
    field.fill("")
    field.press("Backspace")  # the search listens to keys
    expect(page.locator(".md-search-result__item")).to_have_count(0)
    field.fill(query[:-1])
    field.press(query[-1])
    expect(page.locator(".md-search-result__meta")).to_have_text(re.compile("matching|No "))
    links = page.locator(".md-search-result__item > a.md-search-result__link:first-of-type")
    found = links.evaluate_all("links => links.map((link) => new URL(link.href).pathname)")
    return [path.strip("/") or "index.html" for path in found[:3]]


def test_queries_lead_to_the_pages_that_answer(page):
    page.goto("index.html", wait_until="load")
    page.keyboard.press("/")
    misses = {}
    for query, wanted in WANTED.items():
        found = first_pages(page, query)
        if not set(found) & set(wanted):
            misses[query] = found
    assert misses == {}


def test_a_first_visit_fetches_neither_the_index_nor_katex(page):
    fetched = []
    page.on("request", lambda request: fetched.append(request.url.rpartition("/")[2]))
    page.goto("build/quick-start/", wait_until="networkidle")
    heavy = {"search_index.json", "katex.min.js"}
    assert not heavy & set(fetched)
    page.keyboard.press("/")
    page.keyboard.type("softmax")  # whose results have formulas
    expect(page.locator(".md-search-result__list .katex").first).to_be_attached()
    assert heavy <= set(fetched)


def test_words_that_were_searched_for_are_marked_on_the_page(page):
    page.goto("build/quick-start/?h=trainer", wait_until="load")
    expect(page.locator("main mark").first).to_have_text(re.compile("trainer", re.IGNORECASE))
