"""The rules of tests/test_public_api.py for `minidl.sklearn`, which needs scikit-learn."""

import pytest
from public_names import SHAPE, mismatches, public_names, unexplained


def belongs_to_the_estimators(public):
    made_by_sklearn = public.name.startswith("set_") and public.name.endswith("_request")
    owner = public.owner or public.value
    return owner.__module__.startswith("minidl.sklearn.") and not made_by_sklearn


PUBLIC = [public for public in public_names("sklearn") if belongs_to_the_estimators(public)]


@pytest.mark.parametrize("public", PUBLIC, ids=lambda public: public.path)
def test_estimators_and_their_methods_are_documented(public):
    assert len(public.doc) > 15
    assert public.examples or public.owner
    assert mismatches(public) == set()
    assert unexplained(public, PUBLIC) == []
    assert SHAPE.search(public.doc)
