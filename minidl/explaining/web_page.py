"""A page in HTML, which needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from minidl.explaining.blocks import Block

# Colours are made of the text's own, so that the part fits any notebook, light or dark.
STYLE = """
.minidl-step { line-height: 1.6; --rule: color-mix(in srgb, currentcolor 18%, transparent); }
.minidl-step h2 { margin: 2.2em 0 0.6em; padding-top: 0.9em; border-top: 1px solid var(--rule); }
.minidl-step h3 { margin: 1.8em 0 0.4em; }
.minidl-step p { max-width: 40em; margin: 0.6em 0; }
.minidl-step code { padding: 0.08em 0.3em; border-radius: 0.2em; font-size: 0.86em;
  background: color-mix(in srgb, currentcolor 7%, transparent); overflow-wrap: anywhere; }
.minidl-step math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math",
  "DejaVu Math TeX Gyre", math, serif; }
.minidl-step .formula { overflow: auto hidden; margin: 0.9em 0; padding: 0.2em 0.1em; }
.minidl-step .formula math { width: max-content; font-size: 1.06em; }
.minidl-step .lines > mtr > mtd { padding: 0.3em 0; text-align: left; text-align: -webkit-left; }
.minidl-step .lines > mtr > mtd:first-child { padding-right: 0.25em; text-align: right;
  text-align: -webkit-right; }
.minidl-step .matrix { margin: 0 0.2em 0.25em; padding: 0.1em 0.15em;
  border: solid currentcolor; border-width: 0 1.3px;
  --end: linear-gradient(currentcolor 0 0) no-repeat;
  background: var(--end) 0 0 / 0.35em 1.3px, var(--end) 100% 0 / 0.35em 1.3px,
    var(--end) 0 100% / 0.35em 1.3px, var(--end) 100% 100% / 0.35em 1.3px; }
.minidl-step .matrix > mtr > mtd { padding: 0.22em 0.4em; text-align: right;
  text-align: -webkit-right; }
.minidl-step munder > mtext { color: color-mix(in srgb, currentcolor 78%, transparent); }
"""
PAGE_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 50em; margin: 0 auto; padding: 1.5em 1.2em 4em; background: #fdfcf9;
  color: #1f2530; font: 1.06em/1.6 Georgia, "Times New Roman", serif; }
h1, h2, h3 { line-height: 1.25; font-weight: 600; }
@media (prefers-color-scheme: dark) { body { background: #15181e; color: #dfe3ea; } }
"""


def html_page(title: str, blocks: Sequence[Block]) -> str:
    """Write a whole file."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{escape(title)}</h1>\n{html_part(blocks)}</main>\n</body>\n</html>\n"
    )


def html_part(blocks: Sequence[Block]) -> str:
    """Write the parts of a page, to stand in another one, such as a notebook."""
    lines = "".join(f"{block.html}\n" for block in blocks)
    return f'<div class="minidl-step">\n<style>{STYLE}</style>\n{lines}</div>\n'
