"""What a layer makes of the data, as features for other estimators."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import check_is_fitted, validate_data

from minidl.containers import Sequential
from minidl.sparse import is_sparse
from minidl.typing import Array

MOST_ROWS = 512  # of a chunk; activations above a megabyte are fresh memory in every layer


class Features:
    """Activations of the layers of a fitted network.

    `set_output` comes from scikit-learn's `TransformerMixin`, to be named after this class. That
    one would name the columns of any layer as those of the default one, and so does not see
    `transform`, which names them itself.
    """

    model_: Sequential
    _n_output_layers: int

    def transform(self, X: Any, layer: int | str | None = None) -> Any:
        """Return the activations of a layer, as features for another estimator.

        Args:
            X: Samples (N, n_features), dense or sparse.
            layer: The layer's number in `model_.layers`, or its name in `model_.trace(X)`, such as
                `"1.relu"`; by default the last one before the output layer.

        Returns:
            Activations (N, n_units), as an array or as what `set_output` asks for.
        """
        check_is_fitted(self)
        features = self._activations(self._check_rows(X), self._depth(layer))
        named = copy.copy(self)
        vars(named)["get_feature_names_out"] = partial(self.get_feature_names_out, layer=layer)
        return _wrap_data_with_container("transform", features, X, named)

    def get_feature_names_out(
        self, input_features: Any = None, layer: int | str | None = None
    ) -> Array:
        """Return the names of the columns that `transform` makes.

        Args:
            input_features: Of no meaning; pipelines give it.
            layer: As for `transform`.
        """
        check_is_fitted(self)
        k = self._depth(layer)
        shape = self.model_.layers[k - 1].bound.output_shape if k else self.model_.input_shape
        name = type(self).__name__.lower()
        return np.array([f"{name}{i}" for i in range(int(np.prod(shape)))], dtype=object)

    def _check_rows(self, X: Any) -> Any:
        """Samples to predict, in the model's dtype."""
        return validate_data(self, X, accept_sparse="csr", dtype=self.model_.dtype, reset=False)

    def _activations(self, x: Any, k: int) -> Array:
        """Outputs of the first k layers (N, n_units), computed in chunks that fit the cache."""
        size = self._rows_at_a_time(x)
        starts = range(0, x.shape[0], size)
        parts = [self.model_.forward_to(k, x[start : start + size]) for start in starts]
        return np.concatenate(parts).reshape(x.shape[0], -1)

    def _rows_at_a_time(self, x: Any) -> int:
        """Rows of a chunk: as many as fit the cache, and few enough that memory is used again."""
        plan = self.model_.bound.plan
        return min(plan.sparse_chunk_rows if is_sparse(x) else plan.chunk_rows, MOST_ROWS)

    def _depth(self, layer: int | str | None) -> int:
        """How many layers there are up to the end of the one meant."""
        layers = self.model_.layers
        names = [f"{index}.{type(each).__name__.lower()}" for index, each in enumerate(layers)]
        if layer is None:
            return len(names) - self._n_output_layers
        if isinstance(layer, str) and layer in names:
            return names.index(layer) + 1
        if isinstance(layer, int) and -len(names) <= layer < len(names):
            return layer % len(names) + 1
        raise ValueError(
            f"transform: layer must be a number below {len(names)} or one of {', '.join(names)}, "
            f"got {layer!r}."
        )
