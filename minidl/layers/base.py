"""The layer: what every part of a network is, and what the author of a new one writes."""

from __future__ import annotations

import contextlib
import copy
import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TextIO

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minidl.arguments import call_text, whole_number
from minidl.errors import ArgumentError, StateError
from minidl.layers import building, calls, copying
from minidl.layers.checks import convert_rows, raise_if_not_finite
from minidl.parameters import Gradients, ParameterSpec, copy_into
from minidl.randomness import child_seed
from minidl.reading import MappedRows
from minidl.sparse import is_sparse
from minidl.typing import Array, RNGLike, Shape

if TYPE_CHECKING:
    from minidl.diagram.svg import SVG

_RUNTIME = {"_bound", "_parent", "_place", "_saved", "_views"}


class Layer(ABC):
    r"""A function $y = f(x; \theta)$ of a batch, with its derivative.

    A layer's author writes `forward` and `backward`, and where they differ from the defaults
    `output_shape`, `parameter_specs` and `state_specs`. Everything else is here: memory, names,
    checks, copies. A built layer of any kind is a model.

    Attributes:
        couples_rows: True where a row's output depends on other rows of the batch.
        state_is_fixed: True where training does not change the state.
        accepts_mask: True for sequence layers that take the keyword `mask`.
        ends_mask: True where a mask of the input says nothing of the output's steps, although these
            may be as many.
        accepts_integers: True where the input may be integers, such as word indices.
        accepts_sparse: True where the input may be sparse rows (CSR of scipy.sparse).
        children: The layers inside this one.
        trainable: Set it to False to keep the parameters of this layer, and of all inside it;
            optimizers learn of it by `trainable_mask`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> class Square(dl.Layer):
        ...     def forward(self, x, *, training=False, out=None):
        ...         if training:
        ...             self.save_for_backward(x)
        ...         return np.square(x, out=out)
        ...     def backward(self, dy, *, input_grad=True, out=None):
        ...         (x,) = self.saved()
        ...         return 2 * x * dy
        >>> Square().build((3,))(np.array([[1.0, 2.0, 3.0]]))
        array([[1., 4., 9.]], dtype=float32)
        >>> dl.check_layer(Square(), (3,)).worst < 1e-6
        True
    """

    couples_rows: bool = False
    state_is_fixed: bool = False
    accepts_mask: bool = False
    ends_mask: bool = False
    accepts_integers: bool = False
    accepts_sparse: bool = False
    results_checked: bool = False  # a container has looked at what its last layer returns
    children: Sequence[Layer] = ()
    trainable: bool = True

    _bound: building.Binding | None = None
    _kept: dict[str, Array] | None = None
    _parent: Layer | None = None
    _place: str = ""
    _views: Mapping[str, Array] = MappingProxyType({})
    _saved: tuple[Any, ...] | None = None
    _seed: np.random.SeedSequence | None = None
    _rng: np.random.Generator | None = None
    _draw_key: tuple[int, ...] = ()
    _replicas: int = 0
    _chunked_passes: int = 0
    _forward: Callable[..., Array]  # the subclass's own, without the checks of the entrance
    _backward: Callable[..., Array | None]

    # --- what the author of a layer writes -------------------------------------------------

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output sample for one input sample, both without the batch axis."""
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        """The parameters that this layer needs, none by default."""
        return ()

    def state_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        """Arrays that training changes but gradients do not, such as running statistics."""
        return ()

    def child_input_shapes(self, input_shape: Shape) -> Sequence[Shape]:
        """The input shape of each child; by default every child sees this layer's input."""
        return [input_shape] * len(self.children)

    def compute_mask(self, x: Array) -> Array | None:
        """Which steps of the input (N, T, ...) count, for layers behind this one; None for all.

        Layers that tell from their input, such as `Masking`, return booleans (N, T). Containers
        hand them on to layers that accept a mask, as long as the time axis lasts.
        """
        return None

    @property
    def makes_mask(self) -> bool:
        """Whether `compute_mask` may return one; by default wherever a subclass defines it."""
        return type(self).compute_mask is not Layer.compute_mask

    @abstractmethod
    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        """Return the output for a batch.

        Args:
            x: Input (N, *input_shape); never written to. A layer may save it for `backward`: leave
                it as it is in between.
            training: Keep what `backward` needs with `save_for_backward`.
            out: A buffer (N, *output_shape) that may be filled and returned.
        """

    @abstractmethod
    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        """Return the loss's gradient at the input; overwrite the gradients of the parameters.

        Args:
            dy: The loss's gradient at the output, of the output's shape; never written to.
            input_grad: False where the gradient at the input is not needed: return None.
            out: A buffer (N, *input_shape) that may be filled and returned.
        """

    # --- what the author of a layer uses -----------------------------------------------------

    def save_for_backward(self, *arrays: Any) -> None:
        """Keep what `backward` needs of this training pass."""
        self.__dict__["_saved"] = arrays

    def saved(self) -> tuple[Any, ...]:
        """Return what `save_for_backward` kept, once."""
        arrays = self._saved
        if arrays is None:
            raise StateError(
                f"{self.where}: backward needs a training forward before it, one for each call: "
                "y = forward(x, training=True), then backward(dy) once."
            )
        self.__dict__["_saved"] = None
        return arrays

    @property
    def gradients(self) -> Gradients:
        """The gradients by parameter name; assignment copies into the existing array.

        Example:
            >>> import minidl as dl
            >>> layer = dl.Dense(10).build((784,), rng=0)
            >>> {name: gradient.shape for name, gradient in layer.gradients.items()}
            {'weight': (784, 10), 'bias': (10,)}
        """
        return self.bound.gradients

    @property
    def rng(self) -> np.random.Generator:
        """The layer's own generator for draws at run time."""
        if self._rng is None:
            if self._seed is None:
                raise StateError(f"{self.where}: has no generator before build.")
            self._rng = np.random.default_rng(child_seed(self._seed, *self._draw_key))
        return self._rng

    @property
    def frozen(self) -> bool:
        """Whether this layer, or one that it is inside of, is not trainable."""
        return not self.trainable or (self._parent is not None and self._parent.frozen)

    @property
    def where(self) -> str:
        """The layer and its place, as messages name it."""
        name = f"{type(self).__name__}" if self.children else repr(self)
        return f"{name} in {self._place}" if self._place else name

    # --- building ----------------------------------------------------------------------------

    def build(
        self, input_shape: Shape, *, rng: RNGLike = None, dtype: DTypeLike = np.float32
    ) -> Self:
        """Work out all shapes, allocate all memory, draw the initial values. Runs once.

        Args:
            input_shape: Shape of one sample, without the batch axis: `(784,)`.
            rng: Seed, generator or seed sequence; None for a fresh seed.
            dtype: float32 or float64.

        Returns:
            The layer itself, now a model.

        Raises:
            ShapeError: If a layer does not fit the one before it.
            StateError: If it is built already, or a layer belongs to another model.
            ArgumentError: If a layer object stands in the model twice.
        """
        building.build(self, input_shape, rng, dtype)
        return self

    @property
    def built(self) -> bool:
        """Whether `build` has run."""
        return self._bound is not None

    @property
    def bound(self) -> building.Binding:
        """Shapes and memory of a built layer; for containers and tools."""
        if self._bound is None:
            raise StateError(
                f"{self.where}: is not built. Call build(input_shape) on the outermost layer "
                "first, for example model.build((784,), rng=0)."
            )
        return self._bound

    # --- a built layer is a model --------------------------------------------------------------

    @property
    def input_shape(self) -> Shape:
        """Shape of one input sample, without the batch axis."""
        return self.bound.input_shape

    def output_shape_of(self, x: Array) -> Shape:
        """Shape of an output sample for these inputs (N, ...), with all lengths known."""
        bound = self.bound
        if None in bound.input_shape:
            return self.output_shape(x.shape[1:])
        return bound.output_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of parameters, inputs and outputs."""
        return self.bound.params.dtype

    @property
    def params(self) -> Array:
        """All parameters as one vector; assignment copies into it."""
        return self.bound.params

    @params.setter
    def params(self, value: ArrayLike) -> None:
        copy_into(self.bound.params, value, f"{self.where}: params")

    @property
    def grads(self) -> Array:
        """All gradients as one vector, in the order of `params`; assignment copies into it."""
        return self.bound.grads

    @grads.setter
    def grads(self, value: ArrayLike) -> None:
        copy_into(self.bound.grads, value, f"{self.where}: grads")

    @property
    def state(self) -> Array:
        """All state that is not trained as one vector; assignment copies into it."""
        return self.bound.state

    @state.setter
    def state(self, value: ArrayLike) -> None:
        copy_into(self.bound.state, value, f"{self.where}: state")

    @property
    def decay_mask(self) -> Array | None:
        """1 where weight decay applies and 0 elsewhere, a vector like `params`; None if all ones.

        Example:
            >>> import minidl as dl
            >>> dl.Dense(1).build((2,), rng=0).decay_mask  # weights, but no biases
            array([1., 1., 0.], dtype=float32)
        """
        specs = [spec for p in self.bound.plan.walk() for spec in p.specs]
        return self._mask([(spec.size, spec.decay) for spec in specs])

    @property
    def trainable_mask(self) -> Array | None:
        """1 where a parameter is trained and 0 where it is frozen, a vector; None if all ones.

        Example:
            >>> import minidl as dl
            >>> model = dl.Sequential([dl.Dense(1), dl.Dense(2)]).build((2,), rng=0)
            >>> model.layers[0].trainable = False
            >>> model.trainable_mask
            array([0., 0., 0., 1., 1., 1., 1.], dtype=float32)
            >>> model.layers[0].frozen, model.layers[1].frozen
            (True, False)
        """

        def own(layer: Layer, above: bool) -> Iterator[tuple[int, bool]]:
            trainable = above and layer.trainable
            yield sum(spec.size for spec in layer.bound.plan.specs), trainable
            for child in layer.children:
                yield from own(child, trainable)

        return self._mask(list(own(self, True)))

    def _mask(self, stretches: list[tuple[int, bool]]) -> Array | None:
        if all(value for size, value in stretches if size):
            return None
        sizes, values = zip(*stretches, strict=True)
        return np.repeat(np.array(values, self.dtype), sizes)

    def walk(self) -> Iterator[Layer]:
        """This layer and all below it, in the order in which their parameters lie.

        Example:
            >>> import minidl as dl
            >>> model = dl.Sequential([dl.Dense(4), dl.Residual(dl.ReLU())])
            >>> [type(layer).__name__ for layer in model.walk()]
            ['Sequential', 'Dense', 'Residual', 'ReLU']
        """
        yield self
        for child in self.children:
            yield from child.walk()

    def named_layers(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """Every layer below this one with its name, such as `0.dense` or `2.residual.0.relu`.

        Args:
            prefix: What all names begin with.

        Example:
            >>> import minidl as dl
            >>> model = dl.Sequential([dl.Dense(4), dl.Residual(dl.ReLU())])
            >>> [name for name, layer in model.named_layers()]
            ['0.dense', '1.residual', '1.residual.0.relu']
        """
        for index, child in enumerate(self.children):
            name = f"{prefix}{index}.{type(child).__name__.lower()}"
            yield name, child
            yield from child.named_layers(f"{name}.")

    def predict(self, x: ArrayLike, batch_size: int | None = None) -> Array:
        """Return the outputs for any number of rows, in inference mode.

        Args:
            x: Input (N, *input_shape); other real floating types are converted. Of memory-mapped
                arrays only the rows at hand are read.
            batch_size: Rows at a time; by default as many as fit the cache.

        Raises:
            ShapeError: If `x` has another shape than the model was built for.
            DTypeError: If `x` is not floating.
            DataError: If the outputs are not finite because `x` has NaN or infinity.
        """
        data: Any = convert_rows(self, x)
        plan = self.bound.plan
        rows = plan.sparse_chunk_rows if is_sparse(data) else plan.chunk_rows
        if batch_size is not None:
            rows = whole_number("predict", "batch_size", batch_size)
        n = data.shape[0]
        if n <= rows:
            if isinstance(data, MappedRows):
                data = data[:]
            y = calls.call_forward(self, data, False, None)
            raise_if_not_finite(self, data, y)
            return calls.own_copy(y, data, False, None)
        outputs = np.empty((n, *self.output_shape_of(data)), self.dtype)
        for i in range(0, n, rows):
            part = outputs[i : i + rows]
            y = calls.call_forward(self, data[i : i + rows], False, part)
            if y is not part:
                part[...] = y
        raise_if_not_finite(self, data, outputs)
        return outputs

    def __call__(self, x: ArrayLike) -> Array:
        """`model(x)` is `model.predict(x)`."""
        return self.predict(x)

    def detached_copy(self) -> Self:
        """Return an unbuilt copy that carries its values into the next `build`.

        `copy.deepcopy` does the same for a layer inside a model, but copies a whole model to a
        built one.

        Example:
            >>> import minidl as dl
            >>> old = dl.Dense(1).build((2,), rng=0)
            >>> new = old.detached_copy()
            >>> new.built, (new.build((2,)).weight == old.weight).tolist()
            (False, [[True], [True]])
        """
        return copying.detached_copy(self)

    def replica(self) -> Self:
        """Return a model over the same parameters and state for another thread.

        It has gradients, saved values, buffers and random draws of its own.

        Example:
            >>> import numpy as np, minidl as dl
            >>> model = dl.Dense(1).build((2,), rng=0)
            >>> twin = model.replica()
            >>> np.shares_memory(twin.params, model.params)
            True
            >>> np.shares_memory(twin.grads, model.grads)
            False
        """
        self._replicas += 1
        return copying.replica(self, self._replicas)

    @contextlib.contextmanager
    def preserved(self) -> Iterator[None]:
        """Put parameters, state and generators back at the end of a `with` block.

        Example:
            >>> import numpy as np, minidl as dl
            >>> model = dl.Dense(1, weight_initializer=dl.Ones()).build((2,), rng=0)
            >>> with model.preserved():
            ...     model.params *= 100
            >>> model.weight.ravel()
            array([1., 1.], dtype=float32)
        """
        params, state, passes = self.params.copy(), self.state.copy(), self._chunked_passes
        generators = [copy.deepcopy(layer._rng) for layer in self.walk()]
        try:
            yield
        finally:
            self.params, self.state, self._chunked_passes = params, state, passes
            for layer, generator in zip(self.walk(), generators, strict=True):
                layer._rng = generator

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file, from which `dl.load(path)` makes it again, bit for bit.

        The file is in the safetensors format, which many programs read: parameters and state by
        names such as `0.dense.weight`, and as texts beside them the layers with their arguments,
        data type, input shape, which layers are frozen, and a checksum. The positions of random
        generators are not in it; a checkpoint of `Trainer` has them, too.

        It is written beside an old file of the same name, and takes its place when it is complete.

        Args:
            path: The file, such as `"digits.safetensors"`.

        Raises:
            StateError: If the model is not built, or is a layer inside another model.
            ArgumentError: If an argument of a layer is of a kind that the file cannot hold, or a
                layer of your own would not come back as it is.
        """
        from minidl.io.model_file import save_model

        save_model(self, path)

    def summary(self, file: TextIO | None = None) -> None:
        """Print layers, output shapes, and numbers and bytes of parameters.

        Args:
            file: Where to, a text file that is open; by default the standard output.

        Example:
            >>> import minidl as dl
            >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
            >>> model.build((784,), rng=0).summary()
            Sequential: input (N, 784), float32
            ---------------------------------------------
            layer        output shape  parameters   bytes
            ---------------------------------------------
            0 Dense(10)  (N, 10)            7,850  31,400
            1 ReLU()     (N, 10)
            2 Dense(10)  (N, 10)              110     440
            3 Softmax()  (N, 10)
            ---------------------------------------------
            total                           7,960  31,840
        """
        from minidl.summary import summary_text

        print(summary_text(self), file=file)

    def plot(self, path: str | os.PathLike[str] | None = None) -> SVG:
        """Draw the network: layers with their output shapes and parameters, branches, shortcuts.

        Args:
            path: A name that ends in .svg, to write the picture to a file, too.

        Returns:
            The text of an SVG file, which a notebook shows as a picture.

        Raises:
            StateError: If the model is not built.
            ArgumentError: If `path` does not end in .svg.

        Example:
            >>> import minidl as dl
            >>> picture = dl.Dense(10).build((784,), rng=0).plot()
            >>> picture.startswith("<svg")
            True
        """
        from minidl.diagram import draw_network

        picture = draw_network(self)
        if path is not None:
            picture.save(path)
        return picture

    def _repr_html_(self) -> str:
        """The summary as a table, for notebooks."""
        from minidl.summary import summary_html

        return summary_html(self)

    # --- how layers describe and copy themselves -----------------------------------------------

    def config(self) -> dict[str, Any]:
        """The constructor's arguments, by name.

        Example:
            >>> import minidl as dl
            >>> dl.LeakyReLU(0.2).config()
            {'negative_slope': 0.2}
        """
        parameters = inspect.signature(type(self)).parameters.values()
        names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise ArgumentError(
                f"{type(self).__name__}: keeps no attribute {missing[0]!r}. A constructor keeps "
                f"each argument under its own name: self.{missing[0]} = {missing[0]}."
            )
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        return call_text(self)

    def own_attributes(self) -> dict[str, Any]:
        """What the layer itself keeps, without views, buffers and saved values."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in _RUNTIME and name not in self._views
        }

    def author_attributes(self) -> dict[str, Any]:
        """What the author of the subclass keeps, such as options, without this class's own."""
        return {k: v for k, v in self.own_attributes().items() if k not in vars(Layer)}

    def __init_subclass__(cls, **options: Any) -> None:
        """Put the checked entrances in front of the subclass's own forward and backward."""
        super().__init_subclass__(**options)
        for name, checked in (
            ("forward", calls.checked_forward),
            ("backward", calls.checked_backward),
        ):
            method = getattr(cls, name)  # its own, or the first one among its bases
            if getattr(method, "__isabstractmethod__", False):
                continue
            if not hasattr(method, "kernel"):
                method = checked(method)
                setattr(cls, name, method)
            setattr(cls, f"_{name}", method.kernel)
        if "forward" in vars(cls):  # with a formula of its own, whatever its base class promises
            cls.results_checked = vars(cls).get("results_checked", False)

    def __setattr__(self, name: str, value: Any) -> None:
        view = self._views.get(name)
        if view is None:
            super().__setattr__(name, value)
        else:
            copy_into(view, value, f"{self.where}: {name}")

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        return copying.deep_copy(self, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return copying.reduce(self) if self.built else super().__reduce_ex__(protocol)
