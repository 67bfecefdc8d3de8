"""The site without a mouse; and that a fault would be noticed. test_site.py runs axe-core."""

import re

from browser.axe import serious_faults
from playwright.sync_api import expect


def test_axe_notices_a_fault(page):
    page.goto("index.html", wait_until="load")
    page.evaluate("document.querySelector('main p').style.color = '#eee'")
    assert [fault.split()[0] for fault in serious_faults(page)] == ["color-contrast"]


def test_the_first_tab_stop_skips_to_the_text(page):
    page.goto("learn/how-a-network-learns/", wait_until="load")
    page.keyboard.press("Tab")
    assert "md-skip" in page.evaluate("document.activeElement.className").split()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") != ""


def test_sections_are_reached_by_keyboard(page):
    page.goto("index.html", wait_until="load")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Learn":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/learn/")
    expect(page.locator("main h1")).to_be_visible()


def test_a_series_of_pictures_moves_by_arrow_keys(page):
    page.goto("learn/how-it-actually-learns/", wait_until="load")
    slider = page.locator(".frames input").first
    slider.focus()
    first = page.locator(".frames .frame:visible").first.get_attribute("data-label")
    page.keyboard.press("ArrowRight")
    second = page.locator(".frames .frame:visible").first.get_attribute("data-label")
    assert first != second
    assert slider.get_attribute("aria-valuetext") == second


def test_the_switch_to_light_mode_is_reached_and_used_by_keyboard(page):
    page.emulate_media(color_scheme="dark")
    page.goto("index.html", wait_until="load")
    for _ in range(3):
        page.keyboard.press("Tab")
    switch = page.locator(":focus")
    expect(switch).to_have_attribute("aria-label", "Switch to light mode")
    ring = switch.locator("+ label").evaluate("(label) => getComputedStyle(label).outlineStyle")
    assert ring != "none"
    body = page.locator("body")
    for scheme in ("default", "slate"):
        page.keyboard.press("Space")
        expect(body).to_have_attribute("data-md-color-scheme", scheme)


def test_a_page_is_printed_light(page):
    page.emulate_media(color_scheme="dark", media="print")
    page.goto("learn/how-a-network-learns/", wait_until="load")
    for selector in ("main h1", "main p", "main .picture text"):
        colour = page.locator(selector).first.evaluate("(e) => getComputedStyle(e).color")
        assert max(map(int, re.findall(r"\d+", colour)[:3])) < 128, selector


# axe takes a label around two controls for the name of both.
def test_sliders_have_names_and_say_their_values_once(page):
    for name, count in (("try/draw-a-digit/", 3), ("learn/how-it-actually-learns/", 1)):
        page.goto(name, wait_until="load")
        tree = page.locator("main").aria_snapshot()
        assert len(re.findall(r'- slider "\w+"', tree)) == count
        assert page.locator("output:not([aria-live='off'])").count() == 0
