import pytest

from benchmarks.summaries import summarize, verdict


def entry(*seconds, difference=1e-7):
    return {"seconds": list(seconds), "difference": difference}


def test_ratio_is_the_median_over_rounds_not_of_bests():
    run = {"minidl": entry(1.0, 2.0, 4.0), "peer": entry(3.0, 4.0, 4.0)}
    found = summarize([run], "peer")
    assert (found.best, found.median) == (3.0, 4.0)
    assert found.ratio == 2.0  # of 3, 2, 1
    assert found.ratio_of_bests == 3.0
    assert found.ratio_range is None


def test_several_runs_are_pooled_and_their_range_is_kept():
    runs = [
        {"minidl": entry(1.0, 1.0), "peer": entry(2.0, 2.0)},
        {"minidl": entry(1.0, 2.0), "peer": entry(6.0, 6.0, difference=1e-5)},
    ]
    found = summarize(runs, "peer")
    assert found.ratio == 2.5  # of 2, 2, 6, 3
    assert found.ratio_range == (2.0, 4.5)
    assert found.difference == 1e-5


def test_a_problem_is_the_result_only_where_no_run_has_another():
    bad = {"minidl": entry(1.0), "peer": {"problem": "missing: do something"}}
    assert summarize([bad], "peer") == "missing: do something"
    good = {"minidl": entry(1.0), "peer": entry(5.0)}
    assert summarize([bad, good], "peer").ratio == 5.0
    assert summarize([good], "nobody") == "not measured"


def test_without_minidl_there_is_no_ratio():
    found = summarize([{"minidl": {"problem": "failed: so"}, "peer": entry(5.0)}], "peer")
    assert (found.best, found.ratio, found.ratio_of_bests) == (5.0, None, None)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(2.5, ">= 2.5: met, +0.00"), (3.0, ">= 2.5: met, +0.50"), (2.4, ">= 2.5: missed by 0.10")],
)
def test_verdict(ratio, text):
    assert verdict(ratio, 2.5) == text
