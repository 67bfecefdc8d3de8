"""The built site on a local server, and pages that note what must not happen."""

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser.built_page import SITE
from playwright.sync_api import sync_playwright

DESKTOP = {"width": 1280, "height": 900}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")  # nothing changes while tests run
        super().end_headers()


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


@pytest.fixture(scope="session")
def reader(browser, address):
    """One reader of all pages, whose browser keeps what the pages share."""
    context = browser.new_context(viewport=DESKTOP, base_url=address)
    yield context
    context.close()


def watched_page(reader, address):
    """A fresh page, and the list in which it notes everything that must not happen."""
    page, faults = reader.new_page(), []
    forget = {"origin": address, "storageTypes": "local_storage"}  # such as the colours chosen
    session = reader.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", forget)
    session.detach()  # or it takes back what emulate_media says
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
    return page, faults


@pytest.fixture
def page(reader, address):
    """A fresh page; what it has noted is asserted when the test is over."""
    page, faults = watched_page(reader, address)
    yield page
    page.close()
    reader.clear_permissions()
    assert faults == []


@pytest.fixture(scope="module")
def tourist(reader, address):
    """One page for the whole site: a fresh one for each of its pages takes twice as long."""
    page, faults = watched_page(reader, address)
    yield page, faults
    page.close()


@pytest.fixture
def tour(tourist):
    """The page that goes through the site, and the list of what it notes from here on."""
    page, faults = tourist
    page.set_viewport_size(DESKTOP)
    faults.clear()
    return page, faults
