import copy
import pickle
import subprocess
import sys

import pytest

from minidl.plotting import plot_confusion_matrix, plot_history
from minidl.plotting.canvas import font_size, new_figure

PNG = b"\x89PNG"


def test_figures_leave_pyplot_and_the_backend_alone():
    code = (
        "import sys, minidl.plotting as p\n"
        "assert 'matplotlib' not in sys.modules\n"
        "p.plot_history({'loss': [1.0]})._repr_png_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_missing_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install minidl\[plot\]"):
        plot_history({"loss": [1.0]})


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_notebook_draws_figures_and_their_copies(duplicate):
    figure = plot_confusion_matrix([[3, 1], [0, 2]])
    other = duplicate(figure)
    other.suptitle("another")
    assert figure._repr_png_().startswith(PNG)
    assert other._repr_png_() != figure._repr_png_()


def test_savefig_writes_every_format(tmp_path):
    figure = plot_history({"loss": [2.0, 1.0]}, title="curves")
    for name in ("a.png", "a.pdf", "a.svg"):
        figure.savefig(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000


def test_title_and_note_add_height_and_widen_a_narrow_figure():
    bare, full = new_figure(1, 1, None), new_figure(1, 1, "a title\nof two lines", note="n" * 40)
    assert tuple(bare.get_size_inches()) == (1, 1)
    assert full.get_size_inches()[0] == pytest.approx(3.2)
    assert full.get_size_inches()[1] > 1.6
    assert new_figure(1, 1, "t" * 200).get_size_inches()[0] == 6.5


def test_font_size_shrinks_with_the_number_of_characters():
    assert font_size(1, 1.0) == 9
    assert font_size(10, 0.5) == pytest.approx(2 * font_size(20, 0.5))
