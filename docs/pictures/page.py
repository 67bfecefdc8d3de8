"""Figures, series of figures and tables, written into the page that is being built."""

import hashlib
import html
import io
import re
from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure

from docs.pictures.colours import CSS
from docs.pictures.lighter import lighter
from docs.pictures.style import plt

WIDE = 480  # pixels: what a phone shows much smaller than it is


def picture(*figures: Figure, alt: str, caption: str = "") -> None:
    """Write figures side by side, with one description for those who do not see them.

    Args:
        *figures: matplotlib's figures; they are closed.
        alt: What the picture shows, in one sentence, for screen readers.
        caption: Stands below; may hold `code` and $formulas$.
    """
    _write("".join(svg(figure) for figure in figures), alt, caption)


def diagram(drawn: str, *, alt: str, caption: str = "") -> None:
    """Write what `model.plot()` draws, like a picture."""
    width = re.search(r' width="([\d.]+)"', drawn)[1]
    start = f' class="diagram" style="width: {width}px" aria-hidden="true"'
    drawn = re.sub(r' width="[\d.]+" height="[\d.]+" role="img"', start, drawn, count=1)
    _write(_in_colours_of_the_page(re.sub(r"\s*\n\s*", " ", drawn)), alt, caption)


def _write(drawings: str, alt: str, caption: str) -> None:
    print(
        f'<figure class="picture" data-search-exclude>'
        f'<div class="panels" role="img" aria-label="{html.escape(alt)}">{drawings}</div>'
        f"{_caption(caption)}</figure>\n"
    )


def frames(
    figures: Sequence[Figure], labels: Sequence[str], *, alt: str, caption: str = ""
) -> None:
    """Write figures of which one is seen at a time; the reader moves through them with a slider.

    Args:
        figures: One figure a moment, all of the same size.
        labels: What the moments are called, such as "step 10".
        alt: What the series shows, in one sentence.
        caption: Stands below; may hold `code` and $formulas$.
    """
    shown = "".join(
        f'<div class="frame" data-label="{html.escape(label)}">{svg(figure)}</div>'
        for figure, label in zip(figures, labels, strict=True)
    )
    print(
        f'<figure class="picture frames" data-search-exclude>'
        f'<div class="panels" role="img" aria-label="{html.escape(alt)}">{shown}</div>'
        f"{_caption(caption)}</figure>\n"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table of Markdown."""
    print()
    for cells in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(str(cell) for cell in cells), "|")
    print()


def svg(figure: Figure) -> str:
    """Return the figure as SVG for a page: its colours by name, its letters the page's, no ids."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    width = figure.get_figwidth() * 96
    plt.close(figure)
    text = drawn.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    used = sorted(set(re.findall(r'(?:url\(|href=")#([^")]+)', text)))
    prefix = hashlib.sha256(text.encode()).hexdigest()[:6]  # two pictures may not share an id
    names = {name: f"p{prefix}{number}" for number, name in enumerate(used)}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{names[match[1]]}"' if match[1] in names else ""

    text = re.sub(r' id="([^"]+)"', renamed, text)
    text = re.sub(r'(url\(|href=")#([^")]+)', lambda link: f"{link[1]}#{names[link[2]]}", text)
    text = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    text = re.sub(r"<[^>]+>", _rounded, text)
    text = lighter(text).replace("xlink:href", "href")
    if width > WIDE:
        text = re.sub(r"font-size: ?([\d.]+px)", r"font-size:calc(\1*var(--letters))", text)
    text = _in_colours_of_the_page(text)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]+")[^>]*>',
        rf'<svg \1 style="width: {width:.0f}px" '
        'aria-hidden="true">',
        text,
        count=1,
    )
    return re.sub(r"\s*\n\s*", " ", text).strip()


def _in_colours_of_the_page(text: str) -> str:
    for colour, name in CSS.items():
        text = text.replace(colour, name)
    return text


def _rounded(tag: re.Match[str]) -> str:
    return re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0])  # hundredths of a point


def _caption(text: str) -> str:
    if not text:
        return ""
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\$([^$]+)\$", r'<span class="arithmatex">\\(\1\\)</span>', text)
    return f"<figcaption>{text}</figcaption>"
