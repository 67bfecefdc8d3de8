"""A model drawn as boxes and arrows, in SVG: no program and no package beside minidl is needed."""

from minidl.diagram.network import draw_network
from minidl.diagram.svg import SVG

__all__ = ["SVG", "draw_network"]
