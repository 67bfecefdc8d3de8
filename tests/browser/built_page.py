"""A built page as a program reads it: its links, the places they may lead to, and its words."""

import os
from html.parser import HTMLParser
from pathlib import Path

SITE = Path(os.environ.get("MINIDL_SITE_DIR", "site")).resolve()
NOT_WORDS = {"code", "pre", "kbd", "svg", "math", "script", "style", "samp"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class BuiltPage(HTMLParser):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []  # what href and src hold, as written
        self.places: set[str] = set()  # ids
        self.words: list[str] = []  # texts within <main>, without code and formulas
        self._open: list[tuple[str, bool]] = []  # tags, and whether their text is no words
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]
        self.places |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if self._within_main:
            names = ("alt", "aria-label", "title", "placeholder")
            self.words += [attributes[name] for name in names if attributes.get(name)]
        if tag not in VOID:
            classes = set((attributes.get("class") or "").split())
            formula = bool(classes & {"arithmatex", "doc-signature", "no-spelling"})
            self._open.append((tag, tag in NOT_WORDS or formula))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._within_main and not any(skipped for _, skipped in self._open):
            self.words.append(data)

    @property
    def _within_main(self) -> bool:
        return any(tag == "main" for tag, _ in self._open)
