"""What axe-core finds on a page."""

from axe_playwright_python.sync_playwright import Axe

WITHOUT_FORMULAS = {"exclude": [[".katex"]]}  # KaTeX says itself what a formula is

AT_REST = "* { transition: none !important }"  # nothing glides, no colour fades


def serious_faults(page, **options):
    """A line for each place with a fault that keeps readers out."""
    page.add_style_tag(content=AT_REST)
    options = {"resultTypes": ["violations"], **options}  # nothing else is worked out: faster
    found = Axe().run(page, context=WITHOUT_FORMULAS, options=options).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
