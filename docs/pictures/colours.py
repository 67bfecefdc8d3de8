"""The colours that pictures are drawn with, and their names in the site's style sheet."""

INK, FAINT, RULE, PAPER = "#1f2530", "#545c69", "#c9c4b8", "#fdfcf9"
BLUE, AMBER, GREEN, PURPLE, RED = "#24518f", "#a3540a", "#2d6a3e", "#7a3d93", "#b3261e"
CYCLE = [BLUE, AMBER, GREEN, PURPLE, RED, FAINT]

# What minidl's plots and diagrams and the benchmarks' figures are drawn with.
THEIRS = {
    "#0072b2": "var(--picture-blue)",
    "#d55e00": "var(--picture-amber)",
    "#009e73": "var(--picture-green)",
    "#1f2328": "var(--picture-ink)",
    "#57606a": "var(--picture-faint)",
    "#737373": "var(--picture-faint)",
    "#eef4fa": "var(--picture-paper)",
    "#ffffff": "var(--picture-paper)",
}

CSS = {
    INK: "var(--picture-ink)",
    FAINT: "var(--picture-faint)",
    RULE: "var(--picture-rule)",
    PAPER: "var(--picture-paper)",
    BLUE: "var(--picture-blue)",
    AMBER: "var(--picture-amber)",
    GREEN: "var(--picture-green)",
    PURPLE: "var(--picture-purple)",
    RED: "var(--picture-red)",
    **THEIRS,
}
