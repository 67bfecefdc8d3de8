"""The long forms in which exporters write single layers, as expressions.

An expression is an operator with expressions for its inputs; "x", the layer's input; another word,
a constant of the file that is kept under it; or a number, a constant of about that value. The
inputs of Add and Mul may stand in either order. A dict holds attributes that the operator must
have, "output" the place of the tensor among its outputs. The axes of "mean" are kept as "axes".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Expression = Any


@dataclass(frozen=True)
class Pattern:
    """An expression, the operator that can take its place, and which words are its inputs."""

    form: Expression
    op: str
    inputs: tuple[str, ...] = ("x",)
    options: dict[str, Any] = field(default_factory=dict)


def _gelu() -> list[Pattern]:
    cubes = (("Pow", "x", 3.0), ("Mul", "x", ("Mul", "x", "x")))
    sums = [("Add", "x", ("Mul", cube, 0.044715)) for cube in cubes]
    gates: list[tuple[Expression, str]]
    gates = [(("Tanh", ("Mul", each, math.sqrt(2 / math.pi))), "tanh") for each in sums]
    gates += [(("Erf", ("Div", "x", math.sqrt(2))), "none")]
    gates += [(("Erf", ("Mul", "x", math.sqrt(0.5))), "none")]
    return [
        Pattern(form, "Gelu", options={"approximate": kind})
        for gate, kind in gates
        for form in (
            ("Mul", ("Mul", "x", ("Add", gate, 1.0)), 0.5),
            ("Mul", ("Mul", "x", 0.5), ("Add", gate, 1.0)),
            ("Mul", "x", ("Mul", ("Add", gate, 1.0), 0.5)),
        )
    ]


def _row_norms() -> list[Pattern]:
    mean = ("mean", "x")
    centred = ("Sub", "x", mean)
    patterns = []
    for variance, z, op in (
        (("mean", ("Pow", centred, 2.0)), centred, "LayerNormalization"),
        (("mean", ("Mul", centred, centred)), centred, "LayerNormalization"),
        (("mean", ("Pow", "x", 2.0)), "x", "RMSNormalization"),
        (("mean", ("Mul", "x", "x")), "x", "RMSNormalization"),
    ):
        deviation = ("Sqrt", ("Add", variance, "epsilon"))
        inverse = ("Reciprocal", deviation)
        patterns += [Pattern(form, op) for form in (("Div", z, deviation), ("Mul", z, inverse))]
        slope = ("Mul", inverse, "gamma")  # Keras: x slope + (beta - mean slope)
        if op == "RMSNormalization":
            patterns += [Pattern(("Mul", "x", slope), op, ("x", "gamma"))]
            continue
        shift = ("Mul", ("Neg", mean), slope)
        both = ("x", "gamma", "beta")
        patterns += [
            Pattern(("Add", ("Mul", "x", slope), shift), op, ("x", "gamma")),
            Pattern(("Add", ("Mul", "x", slope), ("Add", shift, "beta")), op, both),
            Pattern(("Add", ("Mul", "x", slope), ("Sub", "beta", ("Mul", mean, slope))), op, both),
        ]
    return patterns


def _attention() -> list[Pattern]:
    x = ("Add", ("MatMul", "x", "weight"), "bias")

    def heads(part: int, *perm: int) -> Expression:
        split = ("Split", x, {"axis": -1, "output": part})
        return ("Transpose", ("Reshape", split, "heads"), {"perm": list(perm)})

    scores = ("Div", ("MatMul", heads(0, 0, 2, 1, 3), heads(1, 0, 2, 3, 1)), "scale")
    seen = ("GreaterOrEqual", ("Unsqueeze", "steps", 1.0), "steps")
    seen_scores = ("Softmax", ("Where", seen, scores, "lowest"), {"axis": -1})
    words = ("x", "weight", "bias", "output_weight", "output_bias", "heads", "scale", "joined")
    patterns = []
    for weights, more in (
        (("Softmax", scores, {"axis": -1}), ()),
        (("Where", seen, seen_scores, 0.0), ("steps", "lowest")),
    ):
        values = ("Transpose", ("MatMul", weights, heads(2, 0, 2, 1, 3)), {"perm": [0, 2, 1, 3]})
        product = ("MatMul", ("Reshape", values, "joined"), "output_weight")
        form = ("Add", product, "output_bias")
        patterns.append(Pattern(form, "MultiHeadSelfAttention", (*words, *more)))
    return patterns


def _both_ways() -> list[Pattern]:
    """PyTorch: the last steps of both directions, cut apart and joined."""
    ways = [("Gather", "x", word, {"axis": 0}) for word in ("first", "second")]
    forms = [("Concat", *ways, {"axis": axis}) for axis in (1, -1)]
    return [Pattern(form, "BothWays", ("x", "first", "second")) for form in forms]


_IS_NEGATIVE = ("Less", ("Cast", "x"), 0.0)
_WRAPPED = ("Mul", ("Cast", _IS_NEGATIVE), ("Add", "x", "size"))
_AS_THEY_ARE = ("Mul", "x", ("Cast", ("Not", _IS_NEGATIVE)))
PATTERNS = [
    Pattern(("Mul", "x", ("Sigmoid", "x")), "Swish"),
    Pattern(("Mul", "x", ("Sigmoid", ("Mul", "x", 1.0))), "Swish"),
    *_gelu(),
    *_row_norms(),
    *_attention(),
    *_both_ways(),
    # PyTorch: softplus is x itself where that is large, by default above 20
    Pattern(("Where", ("Greater", "x", 20.0), "x", ("Softplus", "x")), "Softplus"),
    # Keras: PReLU by two ReLUs, with the slope's negative; word indices that may be negative
    Pattern(
        ("Add", ("Relu", "x"), ("Mul", ("Relu", ("Neg", "x")), "slope")), "PRelu", ("x", "-slope")
    ),
    Pattern(("Add", _WRAPPED, _AS_THEY_ARE), "Identity"),
]
# scikit-learn: of two classes, the probabilities of both from that of the second
OF_TWO_CLASSES = Pattern(("Concat", ("Sub", 1.0, "x"), "x"), "Identity")
