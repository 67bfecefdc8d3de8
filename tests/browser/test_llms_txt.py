"""llms.txt, and the Markdown of each page, beside the site."""

import re

from browser.built_page import SITE

LINKS = re.compile(r"^- \[.+?\]\((?P<path>[^)]+\.md)\): (?P<line>\S.*)$", flags=re.MULTILINE)


def test_it_has_the_form_that_llmstxt_org_asks_for():
    lines = (SITE / "llms.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# minidl"
    assert lines[2].startswith("> ")
    sections = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert sections == ["Start", "Learn", "Build", "Look up", "Try", "Optional"]
    entries = [line for line in lines if line.startswith("- ")]
    assert len(entries) == len(LINKS.findall("\n".join(lines)))


def test_it_lists_every_page_once_and_each_is_there_as_markdown():
    text = (SITE / "llms.txt").read_text(encoding="utf-8")
    listed = [match["path"] for match in LINKS.finditer(text)]
    pages = [path.with_suffix(".md") for path in SITE.rglob("index.html")]
    assert sorted(listed) == sorted(path.relative_to(SITE).as_posix() for path in pages)
    for path in listed:
        assert re.search(r"^# \S", (SITE / path).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_markdown_has_formulas_and_code_but_no_html_around_them():
    text = (SITE / "api/layers/dense/index.md").read_text(encoding="utf-8")
    assert "$y = x W + b$" in text
    assert "```pycon\n>>> import numpy as np, minidl as dl\n" in text
    assert not re.search(r"<(?:svg|span|div|a)\b|¶", text)
