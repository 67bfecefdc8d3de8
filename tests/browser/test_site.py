"""Every page of the built site, opened in headless Chromium as a reader would.

Left out of the ordinary test command, because it needs the site and a browser:

    mkdocs build --strict --site-dir site
    MINIDL_SITE_DIR=site python -m pytest tests/browser

Chromium is the system's; MINIDL_CHROMIUM names another.
"""

import re

import pytest
from browser.axe import AT_REST, serious_faults
from browser.built_page import SITE
from playwright.sync_api import expect

import minidl as dl

PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
PHONE = {"width": 390, "height": 844}

# For axe-core, reference pages and tables of figures are alike: a few of them stand for all.
ALIKE = ("api/", "results/")
FEW = {f"{name}/index.html" for name in ("api", "api/layers", "api/layers/dense", "results")}
FOR_AXE = {name for name in PAGES if name in FEW or not name.startswith(ALIKE)}

AS_TYPED = re.compile(r".{0,30}(?:\$|\\[a-zA-Z(\[]|\*\*|\]\(|\|).{0,30}")

# Text that a reader sees as text: no code, and no formulas once they are typeset.
VISIBLE_TEXT = """() => {
    const page = document.querySelector("main").cloneNode(true);
    page.querySelectorAll(".katex, pre, code, script, style, svg").forEach((e) => e.remove());
    return page.textContent;
}"""

# Elements that stick out to the right, unless they scroll or stand in something that scrolls.
TOO_WIDE = """() => {
    const scrolls = (e) => e.tagName !== "MAIN" && (
        ["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement)
    );
    return [...document.querySelectorAll("main *:not(.katex *)")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
        .map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 60)}`);
}"""


def test_the_site_is_built():
    assert (SITE / "index.html").is_file(), f"no site in {SITE}: run mkdocs build --strict first"
    assert len(PAGES) >= 15


def test_every_public_name_is_in_the_reference():
    pages = "".join(path.read_text(encoding="utf-8") for path in (SITE / "api").rglob("*.html"))
    entries = set(re.findall(r'<h\d id="minidl\.(?:\w+\.)*(\w+)"', pages))
    rooms = {"__version__", "plotting", "testing"}
    assert set(dl.__all__) - rooms - entries == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_as_its_readers_see_it(tour, name):
    page, noted = tour
    assert page.goto(name, wait_until="load").status == 200
    expect(page.locator("main h1").first).to_be_visible()
    page.add_style_tag(content=AT_REST)

    marked = (SITE / name).read_text(encoding="utf-8").count('class="arithmatex"')
    text = page.evaluate(VISIBLE_TEXT)
    faults = {
        "formulas not typeset": marked - page.locator(".arithmatex .katex-html").count(),
        "formulas with errors": page.locator(".katex-error").count(),
        "formula, link, bold word or table left as typed": AS_TYPED.findall(text),
    }
    if name in FOR_AXE:  # in the colours that the page before was left in, then in the others
        faults["axe-core finds"] = serious_faults(page)
        page.locator("label[title^='Switch to']:visible").click()
        contrast = serious_faults(page, runOnly=["color-contrast"])
        faults["axe-core finds in the other colours"] = contrast
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    faults["wider than a phone"] = max(0, width - PHONE["width"])
    faults["stands out on a phone"] = page.evaluate(TOO_WIDE)
    faults["the browser notes"] = noted
    assert {kind: found for kind, found in faults.items() if found} == {}


def test_every_face_and_formula_font_comes_from_the_site(page):
    page.goto("learn/how-a-network-learns/", wait_until="load")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter((f) => f.status === 'loaded')"
        ".map((f) => f.family.replaceAll('\"', ''))"
    )
    assert {"Source Serif 4", "Source Sans 3", "JetBrains Mono", "KaTeX_Math"} <= set(loaded)


def test_search_finds_a_layer(page):
    page.goto("index.html", wait_until="load")
    page.keyboard.press("/")
    page.keyboard.type("softmax")
    result = page.locator(".md-search-result__link").first
    expect(result).to_be_visible()
    expect(page.locator(".md-search-result__list .katex").first).to_be_attached()
    assert "\\(" not in page.locator(".md-search-result__list").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "index.html" not in url)


@pytest.mark.parametrize(("scheme", "expected"), [("light", "default"), ("dark", "slate")])
def test_palette_follows_the_system_and_the_toggle(page, scheme, expected):
    page.emulate_media(color_scheme=scheme)
    page.goto("index.html", wait_until="load")
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", expected)
    page.locator("label[title^='Switch to']:visible").click()
    expect(body).not_to_have_attribute("data-md-color-scheme", expected)
