"""What users may call: public classes, functions and methods, and what their docstrings say."""

import doctest
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import minidl as dl

SECTION = re.compile(r"^(?P<title>[A-Z]\w+):\n(?P<body>(?:(?: {4}.*)?\n)+)", flags=re.MULTILINE)
# (N, D), (784,), (..., M), (N, *input_shape), or in words
SHAPE = re.compile(r"\((?:[A-Zn*]|\.{3},|\d+,)[^()]*\)|\bvector|\bscalar|\bone number\b|'s shape\b")


@dataclass(frozen=True)
class Public:
    """A public class, function, method or property."""

    path: str  # "Dense", "Trainer.fit", "LayerReport"
    value: object
    owner: type | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @cached_property
    def doc(self) -> str:
        return inspect.getdoc(self.value) or ""

    @property
    def is_error(self) -> bool:
        return inspect.isclass(self.value) and issubclass(self.value, BaseException)

    def listed(self, section: str) -> list[str]:
        """The names that a section explains: `Args`, `Attributes`."""
        body = "".join(
            m["body"] for m in SECTION.finditer(self.doc + "\n") if m["title"] == section
        )
        groups = re.findall(r"^([\w*][\w*, ]*):", inspect.cleandoc(body), flags=re.MULTILINE)
        return [name.strip("* ") for group in groups for name in group.split(",")]

    @property
    def parameters(self) -> list[inspect.Parameter]:
        function = self.value.fget if isinstance(self.value, property) else self.value
        try:
            found = list(inspect.signature(function).parameters.values())
        except ValueError:  # a class that is made as its built-in base is
            return []
        named = [p for p in found if p.kind is not p.VAR_POSITIONAL]
        return [p for p in named if p.name != "self" and not p.name.startswith("_")]

    @property
    def has_arrays(self) -> bool:
        """Whether it takes or gives arrays, as its annotations say."""
        annotations = [p.annotation for p in self.parameters]
        function = self.value.fget if isinstance(self.value, property) else self.value
        if not inspect.isclass(function):
            annotations.append(inspect.signature(function).return_annotation)
        return any(re.search(r"\bArray|ndarray", str(each)) for each in annotations)

    @property
    def examples(self) -> list[str]:
        """The lines of its examples that run."""
        found = doctest.DocTestParser().get_examples(self.doc)
        return [each.source for each in found if not each.options.get(doctest.SKIP)]


def mismatches(public: Public) -> set[str]:
    """Names that are in the section Args or in the signature, but not in both."""
    listed = set(public.listed("Args"))
    return listed ^ {p.name for p in public.parameters} if listed else set()


def unexplained(public: Public, methods: list[Public]) -> list[str]:
    """Parameters that are explained nowhere.

    That is neither in the sections Args and Attributes nor, where a class has the method, in words
    or in the Args of another of its methods.
    """
    explained = {*public.listed("Args"), *public.listed("Attributes")}
    words = ""
    if public.owner:
        sisters = [p for p in methods if p.owner in public.owner.__mro__]
        explained |= {name for sister in sisters for name in sister.listed("Args")}
        words = public.doc + (inspect.getdoc(public.owner) or "")
    names = [] if public.is_error else [p.name for p in public.parameters]
    return [n for n in names if n not in explained and not re.search(rf"\b{n}\b", words)]


def new_members(path: str, owner: type) -> Iterator[Public]:
    """What a class adds to its bases; what it overrides has its docstring from there."""
    for name in vars(owner):
        value = getattr(owner, name)
        known = any(name in vars(base) for base in owner.__mro__[1:])
        if not (name.startswith("_") or known) and (callable(value) or isinstance(value, property)):
            yield Public(f"{path}.{name}", value, owner)


def public_names(*rooms: str) -> list[Public]:
    """Everything that `dl` has, and these rooms, with the members of classes."""
    found = {name: getattr(dl, name) for name in dl.__all__}
    for room in rooms:
        module = import_module(f"minidl.{room}")
        found |= {name: getattr(module, name) for name in module.__all__}
    result = []
    for path, value in found.items():
        if callable(value):  # the version and modules are not
            result.append(Public(path, value))
            result += new_members(path, value) if inspect.isclass(value) else ()
    return result
