"""Mutants: small changes of the source, each of which the tests must notice.

`mutants_of(path, source)` makes them for every place in the mathematics where there is something to
change: a sign, a comparison, a condition, a constant, an axis, the name of a reduction, a `.T`, a
bare call. The mathematics are the functions named in `MATHEMATICS`; messages of errors, annotations
and decorators are left alone.
"""

import ast
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MATHEMATICS = {
    "matmul",  # below the layers
    "_sparse_matmul",
    "rows_times",
    "as_rows",
    "piece_count",
    "is_finite",
    "carve",
    "usable_cores",
    "one_ahead",
    "at_most_blas_threads",
    "take",
    "subset",
    "is_mapped",
    "_rows_lie_apart",
    "convert_rows",
    "raise_if_not_finite",
    "_mapping_of",
    "gathered",
    "in_stretches",
    "_block_rows",
    "largest_product",
    "_rows_that_fit",
    "_power_of_two",
    "chunk_rows",
    "sparse_chunk_rows",
    "convert_input",
    "_axes_in_order",
    "is_sparse",
    "__call__",  # initializers
    "saliency_map",
    "_score_gradients",
    "_without_chance",
    "forward",  # layers
    "backward",
    "classes_first",
    "logistic",
    "_exact",
    "_exact_derivative",
    "_tanh_form",
    "_tanh_form_derivative",
    "_clipped",
    "reshaped",
    "compute_mask",
    "mean",  # normalization
    "channel_gradients",
    "centered",
    "inverse_deviation",
    "normalization_gradient",
    "all_but_last",
    "_by_batch",
    "_in_groups",
    "_axes",
    "adapt",
    "mean_and_deviation",
    "plain",  # windows, convolution and pooling
    "lengths",
    "check_padding",
    "pad_widths",
    "output_length",
    "overlap",
    "pads",
    "count",
    "spans",
    "is_pointwise",
    "mirrored",
    "_geometry",
    "correlate",
    "weight_gradient",
    "_add_gradients",
    "spread",
    "_matrices",
    "_mirrored",
    "_by_rows",
    "samples",
    "stretches",
    "_bytes_a_row",
    "columns",
    "add_products",
    "cut",
    "_slab",
    "by_groups",
    "add_columns",
    "_pairs",
    "_output_length",
    "counts",
    "windows_over",
    "_places",
    "in_memory_order",
    "window_sizes",
    "max_forward",
    "max_backward",
    "_copies",
    "attend",  # sequences
    "attend_backward",
    "_penalty",
    "pieces",
    "_heads",
    "step_back",
    "stacked_weights",
    "unstack_gradients",
    "steps_inside",
    "empty",
    "check_indices",
    "parameter_specs",
    "gate_specs",
    "_forward_to",  # containers
    "_backward_from",
    "_parts",  # of training's sources, too
    "evaluation_rows",
    "_rows_of",
    "row_batches",  # data
    "block_rows",
    "_stacked",
    "table",
    "width",
    "number_in",
    "_arrays",
    "_finding",
    "_shares",
    "_as_pair",
    "infer",
    "check_lists",
    "innermost_layers",
    "computes_like",
    "leaves_of",
    "makes_mask",
    "mask_behind",
    "own_mask",
    "output_mask",
    "steps_last",
    "mask_of_branches",
    "makers_of_lost_masks",
    "_chain",
    "traced",
    "useful_blas_threads",  # policies
    "useful_workers",
    "worth_reading_ahead",
    "threads_for",
    "per_sample",  # losses
    "_from_labels",
    "_smooth_rows",
    "shifted_softmax",
    "_sigmoid",
    "target_shape",
    "check_target",
    "check_prediction",
    "class_labels",
    "class_weights",
    "_checked",
    "weigh_classes",
    "_weights_by_class",
    "refuse_unfit_outputs",
    "weighted",
    "_mean",
    "checked_per_sample",
    "sample_axes",
    "total_weight",
    "as_samples",
    "check_weight",
    "add",  # the values of an epoch
    "values",
    "check_class_labels",
    "check_probability_rows",
    "find_improper_row",
    "predicted_labels",
    "true_labels",
    "from_logits_to_predictions",
    "differentiate",  # the objective
    "evaluate",
    "probabilities",
    "each",  # chunk of a batch
    "rows_at_a_time",
    "check_batch",
    "_check_masks",
    "_penalize",
    "constrain",
    "value",  # penalties and constraints
    "add_gradient",
    "penalty_of",
    "in_place",
    "apply",
    "loss_and_gradient",  # solvers
    "hessian_product",
    "end_iteration",
    "put_back",
    "end",
    "_differentiate",
    "_check_model",
    "minimize",
    "step",  # optimizers and recurrent layers
    "update",
    "current_learning_rate",
    "_scratch",
    "clipped_by_norm",
    "_momentum",
    "_product_up_to",
    "cosine_curve",
    "mode_of",  # callbacks
    "is_better",
    "on_fit_begin",
    "on_epoch_begin",
    "on_batch_end",
    "on_validation_begin",
    "on_epoch_end",
    "on_fit_end",
    "suggestion",
    "learning_rate_range_test",
    "pair",  # metrics
    "label_pair",
    "number_pair",
    "accuracy",
    "confusion_matrix",
    "class_counts",
    "mean_ratio",
    "precision",
    "recall",
    "f1_score",
    "labels_and_scores",
    "check_classes",
    "top_k_accuracy",
    "roc_auc",
    "_area",
    "r2_score",
    "mean_absolute_error",
    "_word",
    "_inputs",  # augmentation
    "precision_of",
    "_images",
    "places",
    "sample",
    "_smoothing",
    "_targets",
    "_mixed",
    "_call",  # training
    "_draw",
    "_fixes",
    "_largest",
    "_lines",
    "_look",
    "_look_at_gradients",
    "_look_at_input",
    "_magnitude",
    "_norm_before",
    "_penalties_too_strong",
    "_smaller_steps",
    "_on_guard",
    "_origin_text",
    "_broken_value",
    "_raise_first",
    "_when",
    "append",
    "begin",
    "fit",
    "fitting",
    "listeners",
    "look",
    "loss",
    "on_divergence",
    "origin_of",
    "penalty",
    "raise_for_bad_evaluation",
    "raise_for_bad_parameters",
    "raise_for_bad_start",
    "raise_for_bad_step",
    "replacing",
    "run_epoch",
    "stop",
    "training_and_validation",
    "wants",
    "arranged",  # buffers
    "rows",
}

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
    ast.LShift: ("<<", ">>"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    # the opposite, and the same with the boundary moved
    ast.Lt: ("<", ">=", "<="),
    ast.LtE: ("<=", ">", "<"),
    ast.Gt: (">", "<=", ">="),
    ast.GtE: (">=", "<", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
SIGNS: dict[type[ast.AST], str] = {ast.USub: "-", ast.Not: "not ", ast.Invert: "~"}
BUILTINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
METHODS = BUILTINS | {
    "maximum": "minimum",
    "minimum": "maximum",
    "argmin": "argmax",
    "argmax": "argmin",
    "sum": "mean",
    "mean": "sum",
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "divide": "multiply",
    "negative": "positive",
    "abs": "positive",
    "square": "positive",
    "log1p": "log",
    "greater_equal": "less",
    "zeros_like": "ones_like",
    "zeros": "ones",
}
SKIPPED_NODES = ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list"}
SKIPPED_KEYWORDS = {"strict", "copy"}  # a guard against slips; an array that is copied or not

Edit = tuple[int, int, str]  # the bytes from start to end give way to a text


@dataclass(frozen=True)
class Mutant:
    """One changed place. Line numbers move, so `key` has none."""

    path: str
    line: int
    original: str  # the lines of the place, as one
    mutated: str
    source: bytes = field(repr=False)  # the whole file, changed

    @property
    def key(self) -> tuple[str, str, str]:
        return self.path, self.original, self.mutated

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.original} -> {self.mutated}"


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    found: dict[bytes, Mutant] = {}
    for start, end, text in _Edits(source):
        changed = source[:start] + text.encode() + source[end:]
        first = source.rfind(b"\n", 0, start) + 1
        after = source[source.find(b"\n", end) if b"\n" in source[end:] else len(source) :]
        original, mutated = (
            " ".join(whole[first : len(whole) - len(after)].decode().split())
            for whole in (source, changed)
        )
        line = source.count(b"\n", 0, start) + 1
        found.setdefault(changed, Mutant(path, line, original, mutated, changed))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def functions_of(source: bytes) -> set[str]:
    """The names of all functions of a file."""
    nodes = ast.walk(ast.parse(source))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


class _Edits:
    """All edits of a source; iterate over it."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def __iter__(self) -> Iterator[Edit]:
        for function in ast.walk(ast.parse(self._source)):
            if isinstance(function, ast.FunctionDef) and function.name in MATHEMATICS:
                unknown = set(_unknown_lengths(function))
                # Not the defaults of arguments: the checked entrances always pass all of them.
                for node in itertools.chain.from_iterable(map(_places, function.body)):
                    if node not in unknown:
                        yield from self._edits(node)

    def _edits(self, node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                yield from self._operator(left, op, right)
            case ast.AugAssign(target=target, op=op, value=value):
                yield from self._operator(target, op, value)
            case ast.Compare(left=left, ops=ops, comparators=others):
                for op, pair in zip(ops, itertools.pairwise([left, *others]), strict=True):
                    yield from self._operator(pair[0], op, pair[1])
            case ast.BoolOp(op=op, values=values):
                yield self._boolean(node, op, values)
            case ast.UnaryOp(op=op) if type(op) in SIGNS:
                yield self._start(node), self._start(node) + len(SIGNS[type(op)]), ""
            case ast.Constant(value=value):
                yield from (self._instead(node, repr(other)) for other in _other_values(value))
            case ast.keyword(arg="axis", value=value) if ast.unparse(value) in {"0", "1", "-1"}:
                yield self._instead(value, "1" if ast.unparse(value) == "0" else "0")
            case ast.Call(func=ast.Name(id=name) as function) if name in BUILTINS:
                yield self._instead(function, BUILTINS[name])
            case ast.Call(func=ast.Attribute(attr=name) as function) if name in METHODS:
                yield self._end(function) - len(name), self._end(function), METHODS[name]
            case ast.Attribute(attr="T" | "mT", value=value):
                yield self._end(value), self._end(node), ""
            case ast.Expr(value=ast.Call()):
                yield self._instead(node, "pass")
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield from self._negation(test)
            case ast.comprehension(ifs=tests):
                for test in tests:
                    yield from self._negation(test)

    def _operator(self, left: ast.AST, op: ast.AST, right: ast.AST) -> Iterator[Edit]:
        for other in OPERATORS.get(type(op), ())[1:]:
            yield self._between(left, op, right, other)

    def _between(self, left: ast.AST, op: ast.AST, right: ast.AST, other: str) -> Edit:
        """Another operator between two operands; only brackets and space stand there besides."""
        symbol = OPERATORS[type(op)][0]
        start = self._source.index(symbol.encode(), self._end(left), self._start(right))
        return start, start + len(symbol), other

    def _boolean(self, node: ast.AST, op: ast.AST, values: Sequence[ast.AST]) -> Edit:
        """`and` for `or`, all along, in brackets of its own."""
        start, end = self._start(node), self._end(node)
        text, other = self._source[start:end], OPERATORS[type(op)][1]
        for left, right in reversed(list(itertools.pairwise(values))):
            i, j, _ = self._between(left, op, right, other)
            text = text[: i - start] + other.encode() + text[j - start :]
        return start, end, f"({text.decode()})"

    def _negation(self, test: ast.expr) -> Iterator[Edit]:
        """The opposite of a condition that no other edit turns round."""
        if not any(isinstance(n, ast.Compare | ast.Not) for n in ast.walk(test)):
            text = self._source[self._start(test) : self._end(test)].decode()
            atom = isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
            yield self._instead(test, f"not {text}" if atom else f"not ({text})")

    def _instead(self, node: ast.AST, text: str) -> Edit:
        return self._start(node), self._end(node), text

    def _start(self, node: ast.AST) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.AST) -> int:
        return self._lines[node.end_lineno - 1] + node.end_col_offset


def _places(node: ast.AST) -> Iterator[ast.AST]:
    """Every node where a change would matter."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in SKIPPED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_skipped(child):
                yield from _places(child)


def _unknown_lengths(function: ast.AST) -> Iterator[ast.AST]:
    """The 1 of each -1 in a call of `reshape`, where NumPy takes any negative number for it."""
    for call in ast.walk(function):
        match call:
            case ast.Call(func=ast.Attribute(attr="reshape"), args=arguments):
                for argument in arguments:
                    match argument:
                        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1) as one):
                            yield one


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.keyword(arg=name) if name in SKIPPED_KEYWORDS:
            return True
    return isinstance(node, SKIPPED_NODES)


def _other_values(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value / 2 if value else 1.0]
    return []
