"""A few kills of a training process; `kill_and_resume.py --kills 50` does more of them."""

from training.kill_and_resume import survive


def test_a_run_survives_kills_at_any_moment():
    half_written, wrong = survive(kills=3, seed=0)
    assert half_written > 0
    assert wrong == 0
