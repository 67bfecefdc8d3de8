"""The transformer block, made of layers and shortcuts; the same as in examples/text_transformer.py.

The block normalizes before each body ("pre-norm"), so that the shortcuts carry x itself.
"""

import numpy as np
import pytest

import minidl as dl

VOCABULARY = 7


def transformer_block(width, heads, *, causal):
    attention = [dl.LayerNorm(), dl.MultiHeadSelfAttention(heads, causal=causal)]
    dense = [dl.LayerNorm(), dl.Dense(4 * width), dl.GELU(), dl.Dense(width)]
    return dl.Sequential([dl.Residual(dl.Sequential(attention)), dl.Residual(dl.Sequential(dense))])


def language_model(width, heads, blocks=1, *, causal, padding_index=None):
    return dl.Sequential(
        [
            dl.Embedding(VOCABULARY, width, padding_index=padding_index),
            dl.PositionalEncoding(),
            *(transformer_block(width, heads, causal=causal) for _ in range(blocks)),
            dl.LayerNorm(),
            dl.Dense(VOCABULARY),
        ]
    )


@pytest.mark.parametrize("causal", [False, True])
def test_the_block_keeps_the_contract_and_its_gradients_are_right(causal):
    report = dl.check_layer(transformer_block(4, 2, causal=causal), (5, 4))
    assert report.worst <= 1e-6
    each = 1 + 4 + 2 * 2 + 2 * 2  # input; attention; two norms; two Dense
    assert len(report.errors) == 2 * each  # without a mask and with one


@pytest.mark.parametrize("causal", [False, True])
def test_a_whole_language_model_has_right_gradients(causal):
    words = np.random.default_rng(0).integers(0, VOCABULARY, (3, 5))
    words[:, 3:] = 0  # padding
    model = language_model(4, 2, blocks=2, causal=causal, padding_index=0)
    assert dl.check_layer(model, (5,), inputs=words).worst <= 1e-6


@pytest.mark.parametrize("t", range(6))
def test_a_later_word_changes_no_earlier_output(t):
    model = language_model(8, 2, blocks=2, causal=True).build((None,), rng=0)
    words = np.random.default_rng(0).integers(0, VOCABULARY, (3, 6))
    other = words.copy()
    other[:, t] = (words[:, t] + 1) % VOCABULARY
    changed = (model(words) != model(other)).any(axis=2)
    np.testing.assert_array_equal(changed, np.tile(np.arange(6) >= t, (3, 1)))


@pytest.mark.parametrize("causal", [False, True])
def test_padding_changes_nothing_for_the_words_before_it(causal):
    model = language_model(8, 2, blocks=2, causal=causal, padding_index=0)
    model.build((None,), rng=0, dtype=np.float64)
    words = np.random.default_rng(0).integers(1, VOCABULARY, (3, 6))
    lengths = np.array([6, 4, 1])
    words[np.arange(6) >= lengths[:, np.newaxis]] = 0
    together = model(words)
    for row, length in enumerate(lengths):
        alone = model(words[row : row + 1, :length])[0]
        np.testing.assert_allclose(together[row, :length], alone, rtol=1e-10, atol=1e-12)


def test_a_sequence_of_padding_alone_stays_finite():
    model = language_model(8, 2, causal=True, padding_index=0).build((4,), rng=0)
    words = np.array([[0, 0, 0, 0], [3, 1, 2, 0]])
    loss, grads = dl.Objective(model, dl.CrossEntropy(from_logits=True)).value_and_grad(
        words, np.ones_like(words)
    )
    alone, _ = dl.Objective(model, dl.CrossEntropy(from_logits=True)).value_and_grad(
        words[1:], np.ones((1, 4), int)
    )
    assert np.isfinite(grads).all()
    assert loss == pytest.approx(alone, rel=1e-6)  # steps of padding do not count


def test_it_learns_to_repeat_what_came_three_words_before():
    rng = np.random.default_rng(0)
    first = rng.integers(0, VOCABULARY, (600, 3))
    words = np.tile(first, (1, 4))  # the same three words again and again
    x, y = words[:, :-1], words[:, 1:]
    model = language_model(16, 2, causal=True).build((11,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(from_logits=True), dl.Adam(0.01), rng=0)
    trainer.fit(x[:500], y[:500], epochs=12, batch_size=50)
    predicted = model(x[500:]).argmax(axis=2)
    assert (predicted == y[500:])[:, 2:].mean() > 0.99
    # one word alone says nothing about the next: without attention 1 in 7 would be right
    assert (predicted == y[500:])[:, :2].mean() < 0.4
