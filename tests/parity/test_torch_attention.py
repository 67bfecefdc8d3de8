"""The comparison with PyTorch: attention, positions, and the transformer block made of them."""

import functools

import numpy as np
import pytest
import torch
from parity.comparison import compare, tensor

import minidl as dl

F = torch.nn.functional


def later_steps(t):
    """PyTorch's causal mask: True where a query must not look."""
    return torch.ones(t, t, dtype=torch.bool).triu(1)


def attend(x, W, b, output_W, output_b, *, heads, causal=False, mask=None):
    """PyTorch's function takes the time axis first, and weights as (outputs, inputs)."""
    steps = x.transpose(0, 1)
    y, _ = F.multi_head_attention_forward(
        *(steps, steps, steps),
        embed_dim_to_check=x.shape[2],
        num_heads=heads,
        in_proj_weight=W.T,
        in_proj_bias=b,
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=output_W.T,
        out_proj_bias=output_b,
        key_padding_mask=None if mask is None else ~torch.tensor(mask),
        attn_mask=later_steps(x.shape[1]) if causal else None,
        need_weights=False,
    )
    return y.transpose(0, 1)


def add_positions(x):
    _, steps, width = x.shape
    p = torch.zeros(steps, width, dtype=x.dtype)
    for step in range(steps):
        for i in range(0, width, 2):
            angle = torch.tensor(step / 10000 ** (i / width), dtype=x.dtype)
            p[step, i] = torch.sin(angle)
            if i + 1 < width:
                p[step, i + 1] = torch.cos(angle)
    return x + p


# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    "attention": (
        lambda: dl.MultiHeadSelfAttention(2),
        (5, 6),
        functools.partial(attend, heads=2),
    ),
    "attention, causal": (
        lambda: dl.MultiHeadSelfAttention(4, causal=True),
        (7, 8),
        functools.partial(attend, heads=4, causal=True),
    ),
    "attention of one head": (
        lambda: dl.MultiHeadSelfAttention(1),
        (6, 3),
        functools.partial(attend, heads=1),
    ),
    "attention of one step": (
        lambda: dl.MultiHeadSelfAttention(1, causal=True),
        (1, 1),
        functools.partial(attend, heads=1, causal=True),
    ),
    "positional encoding": (dl.PositionalEncoding, (9, 6), add_positions),
    "positional encoding of odd width": (dl.PositionalEncoding, (9, 5), add_positions),
    "positional encoding of one step": (dl.PositionalEncoding, (1, 1), add_positions),
}


def built(layer, shape):
    """In float64, with every parameter off its start."""
    layer.build(shape, rng=0, dtype=np.float64)
    layer.params += 0.1 * np.random.default_rng(0).normal(size=len(layer.params))
    return layer


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, scale):
    x = scale * np.random.default_rng(1).normal(size=(4, *shape))
    compare(built(make(), shape), x, function)


def random_mask(rng, n, t):
    """The first step counts: PyTorch gives NaN for queries that may attend to nothing."""
    mask = rng.random((n, t)) < 0.6
    mask[:, 0] = True
    return mask


class WithMask:
    """A layer that is given the same mask in every pass, for `compare`."""

    def __init__(self, layer, mask):
        self.layer, self.mask = layer, mask

    def __getattr__(self, name):
        return getattr(self.layer, name)

    def forward(self, x, training):
        return self.layer.forward(x, training=training, mask=self.mask)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 6])
def test_attention_with_a_mask(heads, causal, seed):
    rng = np.random.default_rng(seed)
    x, mask = rng.normal(size=(3, 7, 6)), random_mask(rng, 3, 7)
    layer = built(dl.MultiHeadSelfAttention(heads, causal=causal), (None, 6))
    function = functools.partial(attend, heads=heads, causal=causal, mask=mask)
    compare(WithMask(layer, mask), x, function)


def copy_attention(layer, theirs):
    """Give PyTorch's module the layer's weights, and return pairs of gradients to compare."""
    mine, pairs = layer.gradients, []
    for name, parameter, transposed in (
        ("weight", theirs.in_proj_weight, True),
        ("bias", theirs.in_proj_bias, False),
        ("output_weight", theirs.out_proj.weight, True),
        ("output_bias", theirs.out_proj.bias, False),
    ):
        copy(getattr(layer, name), parameter, transposed)
        pairs.append((mine[name], parameter, transposed))
    return pairs


def copy(values, parameter, transposed=False):
    parameter.data = tensor(values.T if transposed else values)


def assert_same(mine, theirs):
    np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-9, atol=1e-11)


def assert_same_gradients(pairs):
    for mine, parameter, transposed in pairs:
        assert_same(mine.T if transposed else mine, parameter.grad)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_the_module_of_pytorch(causal):
    rng = np.random.default_rng(2)
    x, dy, mask = rng.normal(size=(3, 5, 8)), rng.normal(size=(3, 5, 8)), random_mask(rng, 3, 5)
    layer = built(dl.MultiHeadSelfAttention(2, causal=causal), (5, 8))
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    pairs = copy_attention(layer, theirs)
    their_x = tensor(x, grad=True)
    their_y, _ = theirs(
        *(their_x, their_x, their_x),
        key_padding_mask=~torch.tensor(mask),
        attn_mask=later_steps(5) if causal else None,
    )
    their_y.backward(tensor(dy))
    assert_same(layer.forward(x, training=True, mask=mask), their_y)
    assert_same(layer.backward(dy), their_x.grad)
    assert_same_gradients(pairs)


def copy_block(attention, dense, theirs):
    """Give PyTorch's encoder layer the weights of the block's two bodies."""
    norm, attend = attention.layers
    other_norm, first, _, second = dense.layers
    pairs = copy_attention(attend, theirs.self_attn)
    for layer, module in (
        *((norm, theirs.norm1), (other_norm, theirs.norm2)),
        *((first, theirs.linear1), (second, theirs.linear2)),
    ):
        for name, parameter in zip(layer.gradients, (module.weight, module.bias), strict=True):
            values = getattr(layer, name)
            copy(values, parameter, transposed=values.ndim == 2)
            pairs.append((layer.gradients[name], parameter, values.ndim == 2))
    return pairs


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_the_transformer_block_is_the_encoder_layer_of_pytorch(causal, masked):
    rng = np.random.default_rng(3)
    x, dy = rng.normal(size=(3, 6, 8)), rng.normal(size=(3, 6, 8))
    mask = random_mask(rng, 3, 6) if masked else None
    attention = dl.Sequential([dl.LayerNorm(), dl.MultiHeadSelfAttention(4, causal=causal)])
    dense = dl.Sequential([dl.LayerNorm(), dl.Dense(32), dl.GELU(), dl.Dense(8)])
    block = built(dl.Sequential([dl.Residual(attention), dl.Residual(dense)]), (None, 8))
    theirs = torch.nn.TransformerEncoderLayer(
        *(8, 4, 32),
        dropout=0.0,
        activation=F.gelu,
        batch_first=True,
        norm_first=True,
        dtype=torch.float64,
    )
    pairs = copy_block(attention, dense, theirs)
    their_x = tensor(x, grad=True)
    their_y = theirs(
        their_x,
        src_mask=later_steps(6) if causal else None,
        src_key_padding_mask=None if mask is None else ~torch.tensor(mask),
    )
    their_y.backward(tensor(dy))
    assert_same(block.forward(x, training=True, mask=mask), their_y)
    assert_same(block.backward(dy), their_x.grad)
    assert_same_gradients(pairs)
    assert sum(parameter.numel() for _, parameter, _ in pairs) == len(block.params)
