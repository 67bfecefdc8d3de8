"""Lines of keys, on texts of every form that TOML has."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl.command_line.config.toml_lines import TomlLines

TEXT = '''# a comment with [brackets] and "quotes"
title = "one" # two = 2
a.b . "c d" = 3

[model]   # [not this]
layers = [
    { type = "Dense", units = 10 }, # ] }
    "ReLU", "a # b",

    [1, [2, {x = 3}]],
    """
    many ] lines
    """, 'raw \\',
    { type = "Sequential", layers = [
        "Tanh",
        { units = 1979-05-27T07:32:00Z },
    ] },
]
seed = 0x_F

[[callbacks]]
type = "A"
[callbacks.inner]
deep = true
[[callbacks]]
type = "B"
[callbacks.inner]
deep = false
[[callbacks.list]]
z = 1
[[callbacks.list]]
z = \'\'\'
\'\'\'
["quoted.table".'x']
last=-inf'''.replace("0x_F", "0xF")

LINES = {
    ("title",): 2,
    ("a", "b"): 3,
    ("a", "b", "c d"): 3,
    ("model",): 5,
    ("model", "layers"): 6,
    ("model", "layers", 0, "units"): 7,
    ("model", "layers", 1): 8,
    ("model", "layers", 2): 8,
    ("model", "layers", 3, 1, 1, "x"): 10,
    ("model", "layers", 4): 11,
    ("model", "layers", 5): 13,
    ("model", "layers", 6, "type"): 14,
    ("model", "layers", 6, "layers", 0): 15,
    ("model", "layers", 6, "layers", 1, "units"): 16,
    ("model", "seed"): 19,
    ("callbacks",): 21,
    ("callbacks", 0): 21,
    ("callbacks", 0, "type"): 22,
    ("callbacks", 0, "inner", "deep"): 24,
    ("callbacks", 1, "type"): 26,
    ("callbacks", 1, "inner"): 27,
    ("callbacks", 1, "inner", "deep"): 28,
    ("callbacks", 1, "list", 0, "z"): 30,
    ("callbacks", 1, "list", 1, "z"): 32,
    ("quoted.table", "x", "last"): 35,
}


def keys_of(value, key=()):
    """The keys of everything in a parsed text."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in pairs:
        yield (*key, name)
        if isinstance(child, dict | list):
            yield from keys_of(child, (*key, name))


@pytest.mark.parametrize("key", LINES, ids=str)
def test_lines(key):
    assert TomlLines(TEXT).lines[key] == LINES[key]


def test_every_key_has_a_line():
    keys = set(keys_of(tomllib.loads(TEXT)))
    assert keys <= set(TomlLines(TEXT).lines) | {("quoted.table",)}


SCALARS = st.sampled_from(['"a]b"', "'c}d'", "1", "-2.5e3", "true", '"""e\nf"""', "'''g\n,'''"])
KEYS = st.sampled_from(["k", "l-m", '"n o"', "'p.q'"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[ " + ", # c ]\n".join(items) + "\n]")
        | st.dictionaries(KEYS, inner, max_size=2).map(
            lambda pairs: "{ " + ", ".join(f"{k} = {v}" for k, v in pairs.items()) + " }"
        )
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(KEYS, VALUES, min_size=1), st.dictionaries(KEYS, VALUES))
def test_any_text_that_is_toml(first, second):
    text = "".join(f"{k} = {v}\n" for k, v in first.items())
    text += "[table.inner]\n" + "".join(f"{k}={v}#\n" for k, v in second.items())
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # an inline table of several lines
        return
    lines = TomlLines(text).lines
    known = text.split("\n")
    for key in keys_of(parsed):
        if key == ("table",):
            continue
        line = known[lines[key] - 1]
        assert not isinstance(key[-1], str) or key[-1] in line
