"""Pictures for the documentation, drawn by its pages while they are built.

    from docs.pictures import AMBER, BLUE, picture, plt

    figure, axes = plt.subplots(figsize=(3.5, 2.5))
    axes.plot(losses, color=BLUE)
    picture(figure, alt="The loss falls from 2.3 to 0.1 in 200 steps", caption="The loss $L$ ...")

A picture is an SVG in the page itself. Draw with the colours of this module alone: in the page they
become the site's own, light or dark. Several figures given to one `picture` stand side by side and
below one another on a phone, so make each at most 3.5 inches wide, or a single one 5.5.
"""

from docs.pictures.beside import beside, lines_of
from docs.pictures.colours import AMBER, BLUE, CYCLE, FAINT, GREEN, INK, PAPER, PURPLE, RED, RULE
from docs.pictures.equivalents import equivalents, other_defaults
from docs.pictures.images import ink, signed, tinted
from docs.pictures.page import diagram, frames, picture, table
from docs.pictures.style import plt
from docs.pictures.surfaces import surface

__all__ = [
    "AMBER",
    "BLUE",
    "CYCLE",
    "FAINT",
    "GREEN",
    "INK",
    "PAPER",
    "PURPLE",
    "RED",
    "RULE",
    "beside",
    "diagram",
    "equivalents",
    "frames",
    "ink",
    "lines_of",
    "other_defaults",
    "picture",
    "plt",
    "signed",
    "surface",
    "table",
    "tinted",
]
