import numpy as np
import pytest
from numpy.random.bit_generator import ISeedSequence

from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.randomness import child_seed, seed_sequence


def stream(seed):
    return tuple(seed.generate_state(4))


@pytest.mark.parametrize("seed", [0, 7, np.int64(7), np.uint8(7), 2**100], ids=repr)
def test_an_integer_gives_numpys_own_stream_each_time(seed):
    expected = np.random.default_rng(int(seed)).random(5)
    for _ in range(2):
        drawn = np.random.default_rng(seed_sequence(seed)).random(5)
        np.testing.assert_array_equal(drawn, expected)


def test_none_is_fresh_each_time():
    assert stream(seed_sequence(None)) != stream(seed_sequence(None))


def test_a_seed_sequence_is_itself():
    seed = np.random.SeedSequence(3)
    assert seed_sequence(seed) is seed


def test_a_generator_hands_out_its_children_and_draws_nothing():
    rng = np.random.default_rng(3)
    first, second = seed_sequence(rng), seed_sequence(rng)
    children = np.random.SeedSequence(3).spawn(2)
    assert [stream(first), stream(second)] == [stream(child) for child in children]
    assert rng.random() == np.random.default_rng(3).random()


def test_a_generator_that_cannot_be_split_is_explained():
    class Fixed(ISeedSequence):
        def generate_state(self, n_words, dtype=np.uint32):
            return np.ones(n_words, dtype)

    with pytest.raises(ArgumentError, match=r"cannot be split.*np\.random\.default_rng\(seed\)"):
        seed_sequence(np.random.Generator(np.random.PCG64(Fixed())))


def test_a_negative_seed_is_explained():
    with pytest.raises(ArgumentError, match="rng: a seed must be at least 0, got -1"):
        seed_sequence(-1)


@pytest.mark.parametrize(
    ("rng", "kind"),
    [
        (0.0, "float"),
        ("0", "str"),
        (True, "bool"),
        ([1, 2], "list"),
        (np.random.RandomState(0), "RandomState"),
        (np.random, "module"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_stands_for_no_randomness_is_explained(rng, kind):
    with pytest.raises(ArgumentTypeError, match=rf"expected a seed \(int\), .* got {kind}\."):
        seed_sequence(rng)


def test_a_place_has_the_same_stream_whatever_was_drawn_before():
    seed = np.random.SeedSequence(3)
    before = stream(child_seed(seed, 1, 2))
    seed.spawn(5)
    assert stream(child_seed(seed, 1, 2)) == before
    assert stream(child_seed(child_seed(seed, 1), 2)) == before


def test_places_differ_from_each_other_and_from_the_root():
    seed = np.random.SeedSequence(3)
    places = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0)]
    assert len({stream(child_seed(seed, *place)) for place in places}) == len(places)
    assert stream(child_seed(seed)) == stream(seed)


def test_a_child_keeps_the_parents_entropy_and_pool():
    seed = np.random.SeedSequence(3, spawn_key=(4,), pool_size=8)
    child = child_seed(seed, 5)
    assert (child.entropy, child.spawn_key, child.pool_size) == (3, (4, 5), 8)
