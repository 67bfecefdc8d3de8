"""The pages of the documentation whose code needs other libraries."""

import pytest
from test_docs_snippets import HERE, WITH_OTHER_LIBRARIES, assert_same_output, prepare, run

PAGES = [page for page in WITH_OTHER_LIBRARIES if "keras" not in page.stem]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    prepare(monkeypatch, tmp_path)
    shown = 0
    for block, printed in run(page, *HERE, "elsewhere"):
        if block.output is not None:
            assert_same_output(printed, block.output, f"{page.name}, line {block.line}")
            shown += 1
    assert shown > 0
