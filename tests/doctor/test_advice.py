import pytest

from minidl.doctor import Trial
from minidl.doctor.advice import kernel_advice


def trials(*rates):
    """The present kernels and others, each with rates on two threads and on one."""
    names = [(None, "Haswell"), ("SKYLAKEX", "SkylakeX"), ("COOPERLAKE", "Cooperlake")]
    return [Trial(*name, 2, *rate) for name, rate in zip(names, rates, strict=False)]


def test_faster_kernels_are_advised_in_one_line(make_machine):
    advice = kernel_advice(make_machine(), trials((223, 110), (450, 218)))
    assert advice.text == (
        "OPENBLAS_CORETYPE=SKYLAKEX: 1.98 times faster matrix products "
        "(218 against 110 GFLOP/s on 1 thread)."
    )
    assert advice.coretype == "SKYLAKEX"
    assert advice.gain == pytest.approx(218 / 110)


def test_the_smaller_of_the_two_gains_counts(make_machine):
    advice = kernel_advice(make_machine(), trials((200, 100), (300, 190), (310, 140)))
    assert advice.coretype == "SKYLAKEX"
    assert "1.50 times faster matrix products (300 against 200 GFLOP/s on 2 threads)" in advice.text


@pytest.mark.parametrize(
    ("rates", "coretype"),
    [((219, 109), None), ((220, 110), "SKYLAKEX"), ((100, 50), None), ((249, 105), None)],
)
def test_less_than_a_tenth_is_no_gain(make_machine, rates, coretype):
    advice = kernel_advice(make_machine(), trials((200, 100), rates))
    assert advice.coretype == coretype
    if coretype is None:
        assert advice.gain is None
        assert advice.text == (
            "Nothing to set: no kernels are clearly faster than Haswell, now in use."
        )


@pytest.mark.parametrize("rates", [(80, 150), (300, 80), (250, 105)])
def test_a_gain_at_one_number_of_threads_alone_is_not_clear(make_machine, rates):
    advice = kernel_advice(make_machine(), trials((200, 100), rates))
    assert advice.coretype is None
    assert advice.text.startswith("Not clear: SkylakeX is ")
    assert f"{rates[1] / 100:.2f} times as fast as Haswell on 1 thread" in advice.text
    assert f"{rates[0] / 200:.2f} times on 2" in advice.text


def test_the_present_kernels_are_those_of_this_process(make_machine):
    """A variable set after NumPy's import holds in children alone."""
    late = [Trial(None, "SkylakeX", 2, 400, 200), Trial("HASWELL", "Haswell", 2, 200, 100)]
    advice = kernel_advice(make_machine(), late)
    assert (advice.coretype, advice.gain) == ("SKYLAKEX", 2.0)


def test_what_leaves_no_choice(make_machine, make_pool):
    def text(found, *tried):
        return kernel_advice(found, list(tried)).text

    mkl = make_machine(pools=(make_pool(name="MKL"),))
    assert text(mkl).startswith("Kernels cannot be compared: NumPy uses MKL")
    assert text(make_machine()).startswith("Nothing to set: this processor runs no other kernels")
    alone = Trial(None, "Haswell", 2, 200, 100), Trial("ZEN", "Haswell", 2)
    assert text(make_machine(), *alone).endswith("this OpenBLAS has the Haswell kernels alone.")
    failed = Trial(None, problem="no answer within 20 s")
    assert text(make_machine(), failed) == "Kernels were not compared: no answer within 20 s."
    other = Trial(None, "Zen", 2, 200, 100)
    assert text(make_machine(), other).endswith("no child process loaded the Haswell kernels.")


def test_a_crashed_choice_does_not_hide_the_others(make_machine):
    found = [*trials((200, 100), (400, 200)), Trial("ZEN", problem="crashed (SIGILL)")]
    assert kernel_advice(make_machine(), found).coretype == "SKYLAKEX"
