"""Writes the site as Markdown too, for programs that read text: llms.txt and a file for each page.

`llms.txt` follows https://llmstxt.org: a heading, a summary, and for each part of the navigation
its pages with a line each. Each page stands as `index.md` beside its `index.html`, with what its
blocks printed and without pictures and source code. Links are relative, as the site has no address
of its own. mkdocs.yml loads this as a hook.
"""

import re
from pathlib import Path
from typing import Any

from markdownify import ATX, MarkdownConverter
from mkdocs.plugins import event_priority

LEFT_OUT = re.compile(
    r'<details class="mkdocstrings-source".*?</details>|<svg.*?</svg>|<style.*?</style>'
    r'|<script.*?</script>|<a [^>]*class="headerlink".*?</a>| title="[^"]*"',
    flags=re.DOTALL,
)
CODE = re.compile(r'<div class="language-(\w+) highlight">(<pre>)')
OPTIONAL = ("results/", "changelog.md")  # what a reader in a hurry leaves out

converter = MarkdownConverter(
    heading_style=ATX,
    bullets="-",
    escape_asterisks=False,
    escape_underscores=False,
    code_language_callback=lambda pre: pre.get("data-language"),
)
texts: dict[str, str] = {}


@event_priority(-200)  # when all references are links
def on_env(env: Any, *, files: Any, **_: Any) -> None:
    """Turn every page into Markdown."""
    for file in files.documentation_pages():
        if file.page is not None and file.page.content:
            texts[file.src_uri] = markdown(file.page.content)


def on_post_build(*, config: Any, **_: Any) -> None:
    """Write the files."""
    site, nav = Path(config["site_dir"]), config["nav"] or []
    everything = pages(nav)
    for path in everything:
        (site / address(path)).write_text(texts[path], encoding="utf-8")
    parts = [f"# {config['site_name']}\n\n> {config['site_description']}\n"]
    sections = {next(iter(item)): pages([item]) for item in nav}
    optional = [path for path in everything if path.startswith(OPTIONAL)]
    for title, paths in (*sections.items(), ("Optional", optional)):
        lines = [line(path) for path in paths if (path in optional) == (title == "Optional")]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    (site / "llms.txt").write_text("\n".join(parts), encoding="utf-8")


def markdown(html: str) -> str:
    """A page's HTML as Markdown."""
    html = CODE.sub(r'<div><pre data-language="\1">', LEFT_OUT.sub("", html))
    text = re.sub(r"\\[()]", "$", converter.convert(html))
    text = re.sub(r"\\[\[\]]", "$$", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def pages(nav: list[Any]) -> list[str]:
    """The pages of a part of the navigation, which may hold links elsewhere."""
    found = []
    for item in nav:
        entry = next(iter(item.values())) if isinstance(item, dict) else item
        found += pages(entry) if isinstance(entry, list) else [entry]
    return [path for path in found if path in texts]


def address(path: str) -> str:
    """Where the Markdown of a page stands in the site."""
    return path if path.endswith("index.md") else f"{path.removesuffix('.md')}/index.md"


def line(path: str) -> str:
    """A page's entry in llms.txt: its title, and the first sentence below it."""
    text = texts[path]
    title = re.search(r"^# (.*)$", text, flags=re.MULTILINE)[1]
    prose = next((p for p in text.split("\n\n") if re.match(r"(?!```)[\w*\[`\"]", p)), "")
    sentence = re.split(r"(?<=[.?])\*{0,2} ", " ".join(prose.split()), maxsplit=1)[0]
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)|\*\*", r"\1", sentence)
    return f"- [{title}]({address(path)}): {plain}"
