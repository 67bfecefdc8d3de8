"""Attention and positional encoding as loops over single numbers."""

import math

import numpy as np


def attention(layer, x, mask=None):
    """One query at a time: the keys that it may see, their weights, the mean of their values."""
    n, t, width = x.shape
    head_width = width // layer.heads
    y = np.zeros(x.shape)
    for i in range(n):
        projected = [step @ layer.weight + layer.bias for step in x[i]]
        for query_step in range(t):
            context = []
            for head in range(layer.heads):
                columns = slice(head * head_width, (head + 1) * head_width)
                queries, keys, values = (
                    [row[part * width : (part + 1) * width][columns] for row in projected]
                    for part in range(3)
                )
                seen = [
                    j
                    for j in range(t)
                    if (mask is None or mask[i, j]) and (j <= query_step or not layer.causal)
                ]
                scores = [
                    sum(a * b for a, b in zip(queries[query_step], keys[j], strict=True))
                    / math.sqrt(head_width)
                    for j in seen
                ]
                largest = max(scores, default=0.0)
                shares = [math.exp(score - largest) for score in scores]
                total = sum(shares)
                mean = np.zeros(head_width)
                for share, j in zip(shares, seen, strict=True):
                    mean += share / total * values[j]
                context.extend(mean)
            y[i, query_step] = np.array(context) @ layer.output_weight + layer.output_bias
    return y


def attention_of_words(model, words):
    """The same behind an embedding whose index 0 is padding."""
    embedding, layer = model.layers
    vectors = embedding.weight[words]
    vectors[words == 0] = 0.0
    return attention(layer, vectors, words != 0)


def positional_encoding(x):
    """The formula of the paper, a number at a time."""
    y = np.array(x, float)
    width = x.shape[2]
    for position in range(x.shape[1]):
        for column in range(width):
            angle = position / math.pow(10000, 2 * (column // 2) / width)
            y[:, position, column] += math.cos(angle) if column % 2 else math.sin(angle)
    return y
