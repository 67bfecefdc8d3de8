"""The glossary: from A to Z, short, and every word leads on."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"^### (?P<term>.+?) \{ #(?P<id>[a-z0-9-]+) \}\n\n(?P<text>.*?)(?=^#|\Z)",
    flags=re.MULTILINE | re.DOTALL,
)
ENTRIES = list(ENTRY.finditer(PAGE))


def key(term):
    """Where a term stands: its letters, without what follows in brackets."""
    return re.sub(r"[^a-z0-9 ]", "", term.partition(" (")[0].lower())


def test_terms_stand_from_a_to_z_under_their_letters():
    terms = [key(entry["term"]) for entry in ENTRIES]
    assert terms == sorted(terms)
    assert len(terms) == PAGE.count("\n### ")
    letters = re.findall(r"^## (\w)$", PAGE, flags=re.MULTILINE)
    assert letters == sorted({term[0].upper() for term in terms})
    assert re.findall(r"\[(\w)\]\(#\w\)", PAGE) == letters


def test_anchors_are_the_terms_and_all_exist():
    ids = [entry["id"] for entry in ENTRIES]
    assert ids == [
        re.sub(r"[^a-z0-9]+", "-", e["term"].partition(" (")[0].lower()) for e in ENTRIES
    ]
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"\]\(#([a-z0-9-]{2,})\)", PAGE)) - set(ids) == set()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_an_entry_is_short_and_leads_to_a_page_or_a_name(entry):
    text = re.sub(r"^\*Also: .*?\*\n", "", entry["text"], flags=re.DOTALL)
    assert "](" in text or "][minidl." in text
    assert len(text.split()) <= 75
