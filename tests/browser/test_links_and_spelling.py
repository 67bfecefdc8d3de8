"""Links of the built site lead somewhere, and its words are spelt as a dictionary spells them."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser.built_page import SITE, BuiltPage

WORDS = Path(__file__).with_name("words.txt")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pages():
    return {path: BuiltPage(path) for path in sorted(SITE.rglob("*.html"))}


def test_every_link_leads_to_a_page_and_a_place(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            base = SITE if path.name == "404.html" or parts.path.startswith("/") else path.parent
            target = base / unquote(parts.path).lstrip("/") if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            place = unquote(parts.fragment)
            if not target.is_file():
                broken.append(f"{path.relative_to(SITE)}: {link}: no such file")
            elif "=" in place:  # a state of the playground, which its own tests open
                continue
            elif place and place not in pages.get(target.resolve(), page).places:
                broken.append(f"{path.relative_to(SITE)}: {link}: no such place")
    assert broken == []


def test_links_to_other_sites_are_safe(pages):
    links = {link for page in pages.values() for link in page.links}
    assert {urlsplit(link).scheme for link in links} <= {"", "https", "data"}
    assert [link for link in links if link.startswith("//")] == []


def own_words():
    return WORDS.read_text(encoding="utf-8").split()


def misspelt(text):
    """Words that neither the dictionary (British, with -ize) nor words.txt knows."""
    if shutil.which("aspell") is None:
        pytest.fail("aspell is missing: install the system's packages aspell and aspell-en.")
    command = ["aspell", "list", "--master=en_GB-ize", "--encoding=utf-8", "--ignore=2"]
    text = re.sub(r"['\u2019]s\b", "", text)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    known = {word.casefold() for word in own_words()}
    return {
        word
        for word in done.stdout.split()
        if word.casefold() not in known and not re.search(r"[a-z].*[A-Z]", word)  # names of code
    }


def test_pages_are_spelt_as_a_dictionary_does(pages):
    wrong = {}
    for word in misspelt("\n".join(text for page in pages.values() for text in page.words)):
        wrong[word] = [
            str(path.relative_to(SITE))
            for path, page in pages.items()
            if any(word in text for text in page.words)
        ][:3]
    assert wrong == {}


def test_words_of_our_own_are_sorted_and_needed(pages):
    assert own_words() == sorted(own_words(), key=str.casefold)
    text = "\n".join(text for page in pages.values() for text in page.words).casefold()
    assert [word for word in own_words() if word.casefold() not in text] == []


def test_a_misspelt_word_is_noticed():
    assert misspelt("A netwrok learns, layer by layer; minidl proves its gradients.") == {"netwrok"}
