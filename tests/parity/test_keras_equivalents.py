"""The page for users of Keras holds in Keras."""

import keras
from parity.equivalent_rows import BUILD, check_tables
from test_docs_snippets import HERE, assert_same_output, prepare, run

PAGE = "coming-from-keras.md"


def test_the_tables_are_right_about_keras(tmp_path, monkeypatch):
    names = {"__version__": keras.__version__} | {
        name: getattr(keras, name) for name in ("layers", "losses", "optimizers", "callbacks")
    }
    assert len(check_tables(PAGE, names, tmp_path, monkeypatch)) == 19


def test_the_programs_print_what_the_page_says(tmp_path, monkeypatch):
    prepare(monkeypatch, tmp_path)
    shown = 0
    for block, printed in run(BUILD / PAGE, *HERE, "elsewhere"):
        if block.output is not None:
            assert_same_output(printed, block.output, f"{PAGE}, line {block.line}")
            shown += 1
    assert shown == 2
