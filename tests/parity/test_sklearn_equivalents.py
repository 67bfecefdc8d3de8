"""The table for users of scikit-learn's networks holds in scikit-learn."""

import sklearn
from parity.equivalent_rows import check_tables
from sklearn.neural_network import MLPClassifier


def test_the_page_is_right_about_scikit_learn(tmp_path, monkeypatch):
    names = {"__version__": sklearn.__version__, "MLPClassifier": MLPClassifier}
    page, form = "coming-from-sklearn.md", "MLPClassifier({})"
    assert not check_tables(page, names, tmp_path, monkeypatch, form=form)
