"""A reader with a calculator: works out the LaTeX of a page, with the numbers that stand in it.

Letters mean nothing here. An equation is checked where two or more of its sides are numbers.
"""

import math
import re

import numpy as np

TOKEN = re.compile(
    r"\\underset\{\((?P<shape>[\d, ]*)\)\}"
    r"\{\\left\[\\!\\begin\{array\}\{r+\} (?P<cells>.*?) \\end\{array\}\\!\\right\]\}"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>\\operatorname\{(?:softmax)\}|\\[a-z]+|e)"
    r"|(?P<sign>[-+(){}\[\]^>,])"
    r"|(?P<space>\s+|\\;)"
)
FUNCTIONS = {
    r"\ln": np.log,
    r"\tanh": np.tanh,
    r"\operatorname{softmax}": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
}
ENDS = ("+", "-", ")", "]", "}", ",", ">", r"\le", r"\right")


class NotNumbersError(Exception):
    """A formula with letters in it."""


def formulas(markdown):
    """The formulas of a page: for each what is on its left, and all its right sides."""
    for source in re.findall(r"\$\$\n(.*?)\n\$\$", markdown, flags=re.DOTALL):
        if r"\begin{aligned}" not in source:
            sides = source.split(" = ")
            yield sides[0], sides
            continue
        body = source.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
        left, sides = "", []
        for line in body.strip().split(" \\\\[0.5em]\n"):
            before, right = line.split("&", 1)
            if before.strip() and sides:
                yield left, sides
                sides = []
            left = before.strip() or left
            sides.append(re.sub(r"^(?:=|\\leftarrow) ", "", right))
        yield left, sides


def value(source):
    """What the source of a formula is as a number or an array."""
    tokens, place = [], 0
    while place < len(source):
        match = TOKEN.match(source, place)
        if match is None:
            raise NotNumbersError(source[place:])
        place = match.end()
        if match["shape"] is not None:
            tokens.append(("array", array(match["shape"], match["cells"])))
        elif match.lastgroup != "space":
            tokens.append((match.lastgroup, match[0]))
    return Calculation(tokens).all()


def array(shape, cells):
    """The numbers of a matrix, in its shape."""
    if "dots" in cells:
        raise NotNumbersError("the middle is left out")
    numbers = [value(cell) for cell in re.split(r" & | \\\\ ", cells)]
    return np.reshape(numbers, [int(length) for length in shape.split(",") if length.strip()])


class Calculation:
    """A formula's tokens, worked out from left to right."""

    def __init__(self, tokens):
        self.tokens, self.place = tokens, 0

    def all(self):
        result = self.sum()
        if self.place < len(self.tokens):
            raise NotNumbersError(self.tokens[self.place :])
        return result

    def next(self, *wanted):
        """Take the next token if it is one of these, or any."""
        text = self.tokens[self.place][1] if self.place < len(self.tokens) else None
        if isinstance(text, np.ndarray) or (wanted and text not in wanted) or text is None:
            return None
        self.place += 1
        return text

    def sum(self):
        sign = -1 if self.next("-") else 1
        result = sign * self.product()
        while sign := self.next("+", "-"):
            result = result + self.product() if sign == "+" else result - self.product()
        return result

    def product(self):
        result = self.factor()
        while self.place < len(self.tokens):
            if self.next(r"\cdot", r"\odot"):
                result = result * self.factor()
            elif self.tokens[self.place][0] != "array" and self.tokens[self.place][1] in ENDS:
                break
            else:
                right = self.factor()
                both = isinstance(result, np.ndarray) and isinstance(right, np.ndarray)
                result = result @ right if both else result * right
        return result

    def factor(self):
        kind, text = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        if kind == "array":
            self.place += 1
            return self.power(text)
        self.next()
        if kind == "number":
            return self.power(float(text))
        if text == "e":
            return self.power(math.e)
        if text in FUNCTIONS:
            return FUNCTIONS[text](self.factor())
        if text in (r"\max", r"\min"):
            return {r"\max": np.maximum, r"\min": np.minimum}[text](*self.listed("(", ")"))
        if text == r"\frac":
            return self.group() / self.group()
        if text == r"\sqrt":
            return np.sqrt(self.group())
        if text in ("{", "(", r"\left"):
            self.place -= 1
            return self.power(self.group() if text == "{" else self.brackets())
        if text == "[":
            self.place -= 1
            return self.brackets()
        raise NotNumbersError(text)

    def power(self, base):
        if self.next("^"):
            return base ** self.group()
        return base

    def group(self):
        if not self.next("{"):
            raise NotNumbersError("no group")
        result = self.sum()
        if not self.next("}"):
            raise NotNumbersError("no end of a group")
        return result

    def brackets(self):
        """A sum in brackets, a row of numbers, or a condition, which is 1 or 0."""
        tall = self.next(r"\left")
        opening = self.next("(", "[")
        values = [self.sum()]
        if relation := self.next(">", r"\le"):
            right = self.sum()
            values = [float(values[0] > right if relation == ">" else values[0] <= right)]
        while self.next(","):
            values.append(self.sum())
        if (tall and not self.next(r"\right")) or not self.next(")" if opening == "(" else "]"):
            raise NotNumbersError("no closing bracket")
        return np.array(values) if len(values) > 1 else values[0]

    def listed(self, opening, closing):
        if not self.next(opening):
            raise NotNumbersError("no brackets")
        values = [self.sum()]
        while self.next(","):
            values.append(self.sum())
        if not self.next(closing):
            raise NotNumbersError("no closing bracket")
        return values


def numeric_sides(sides):
    """Those sides of an equation that are numbers, worked out."""
    for side in sides:
        try:
            yield value(side)
        except NotNumbersError:
            continue
