"""Every page of the built site, opened in headless Chromium as a reader would.

Left out of the ordinary test command, because it needs the site and a browser:

    mkdocs build --strict --site-dir site
    MINIDL_SITE_DIR=site python -m pytest tests/browser

Chromium is the system's; MINIDL_CHROMIUM names another.
"""

import functools
import os
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

import minidl as dl

SITE = Path(os.environ.get("MINIDL_SITE_DIR", "site")).resolve()
PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

# Text that a reader sees as text: no code, and no formulas once they are typeset.
VISIBLE_TEXT = """() => {
    const page = document.querySelector("main").cloneNode(true);
    page.querySelectorAll(".katex, pre, code, script, style").forEach((e) => e.remove());
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


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address():
    handler = functools.partial(QuietHandler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    chromium = os.environ.get("MINIDL_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: install the system's package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """A fresh page that notes everything that must not happen; asserted when the test is over."""
    page = browser.new_page(viewport=DESKTOP, base_url=address)
    faults = []
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))

    def note_failed(request):
        if request.failure != "net::ERR_ABORTED":  # given up because the reader went on
            faults.append(f"request failed: {request.url}")

    page.on("requestfailed", note_failed)

    def note_outside(request):
        if not request.url.startswith((f"{address}/", "data:", "blob:")):
            faults.append(f"request to another host: {request.url}")

    page.on("request", note_outside)
    yield page
    page.close()
    assert faults == []


def test_the_site_is_built():
    assert (SITE / "index.html").is_file(), f"no site in {SITE}: run mkdocs build --strict first"
    assert len(PAGES) >= 15


def test_every_public_name_is_in_the_reference():
    pages = "".join(path.read_text(encoding="utf-8") for path in (SITE / "api").rglob("*.html"))
    entries = set(re.findall(r'<h\d id="minidl\.(?:\w+\.)*(\w+)"', pages))
    rooms = {"__version__", "plotting", "testing"}
    assert set(dl.__all__) - rooms - entries == set()


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_its_formulas_and_fits_a_phone(page, name):
    response = page.goto(name, wait_until="load")
    assert response.status == 200
    expect(page.locator("main h1").first).to_be_visible()

    marked = (SITE / name).read_text(encoding="utf-8").count('class="arithmatex"')
    assert page.locator(".arithmatex .katex-html").count() == marked
    assert page.locator(".katex-error").count() == 0
    # No formula, link, bold word or table is left as it was typed.
    text = page.evaluate(VISIBLE_TEXT)
    assert re.findall(r".{0,30}(?:\$|\\[a-zA-Z(\[]|\*\*|\]\(|\|).{0,30}", text) == []

    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(TOO_WIDE) == []


def test_every_face_and_formula_font_comes_from_the_site(page):
    page.goto("learn/two-layer-network/", wait_until="load")
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
