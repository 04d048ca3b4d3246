"""From a kernel to what is printed: values that vary along loops, and where they go."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors.numpy.llvm import scalars
from lazyxp.executors.numpy.llvm.form import Form
from lazyxp.executors.numpy.llvm.ir import is_known
from lazyxp.kernel import NO_AXIS, POSITIONS, Axes, Instruction, Kernel, operand_axes, reduces, scanned
from lazyxp.node import Node

DType = np.dtype[Any]
Loops = frozenset[int]

_SAME = frozenset(("expand_dims", "squeeze", "broadcast_to", "permute_dims", "getitem"))
_PLAIN = {
    "sum": "sum",
    "prod": "prod",
    "max": "max",
    "min": "min",
    "any": "any",
    "all": "all",
    "count_nonzero": "sum",
    "mean": "sum",
}
_SCANS = {"cumulative_sum": "sum", "cumulative_prod": "prod"}
_BOOL, _INT = np.dtype(bool), np.dtype(np.int64)
# The walks over a piece of work. What varies is seen from a center, the mean of the start of the piece: no walk over
# all of it comes before the one in which everything else is done. Where pieces have no start of what is reduced, the
# center is the mean of all of it.
SUM_OF_ALL, MEAN_OF_ALL, SUM_OF_START, MEAN_OF_START, EVERYTHING = range(5)


class Unprintable(Exception):
    """The kernel has something that there is no code for."""


class Value(NamedTuple):
    """One value of a kernel.

    Attributes
    ----------
    op : str
        An elementwise op, or "input", "constant", "reduce", "scan", "running" (a scan along an outer loop), "take",
        "count" (of what a piece of work reduces), "place" (the index of a loop), "pair" of an element and its place,
        "second" of a pair.
    args : tuple of int
        Values, in the order they were made in; of an input, its operand.
    loops : frozenset of int
        The loops along which it varies.
    dtype : dtype
        Of its elements.
    params : Any
        Of the op, which bounds are given; of a reduction, which one it is; of a scan, also the operand that holds it so
        far along an outer loop, or from one piece to the next, and then the one that counts pieces that are done; the
        operand that elements are taken from. Its `repr` says all about it.
    reduced : frozenset of int
        The loops that a reduction or scan runs along, or an operand is indexed along.
    """

    op: str
    args: tuple[int, ...]
    loops: Loops
    dtype: DType
    params: Any = None
    reduced: Loops = frozenset()


class Sink(NamedTuple):
    """Where a value goes.

    Attributes
    ----------
    value : int
        What is kept.
    loops : frozenset of int
        The loops along which it is kept.
    reduced : frozenset of int
        Those along which it is reduced; none for what is only stored.
    how : str
        The reduction, or "store".
    operand : int
        The memory: inputs, outputs, and then the partial results of pieces.
    turn : int
        In which walk over a piece of work this is done: `SUM_OF_START` and the others.
    """

    value: int
    loops: Loops
    reduced: Loops
    how: str
    operand: int
    turn: int


class Partial(NamedTuple):
    """The memory of results that each piece of work has a part of.

    Attributes
    ----------
    loops : frozenset of int
        The loops along which they vary.
    dtype : dtype
        Of their elements.
    cut : bool
        Whether there is one part for each piece, or each piece has its own region.
    how : str
        How parts are put together.
    """

    loops: Loops
    dtype: DType
    cut: bool
    how: str


class Finish(NamedTuple):
    """How an output is made of partial results: the op of the reduction and the numbers of its partials."""

    output: int
    instruction: Instruction
    partials: tuple[int, ...]


class Lowered:
    """A kernel as values and sinks.

    Attributes
    ----------
    kernel, form
        What was lowered.
    dtypes : tuple of dtype
        Of the inputs, then of the outputs.
    values : list of Value
        Arguments first.
    sinks : list of Sink
        What is kept.
    partials : list of Partial
        Partial results; they come after inputs and outputs among the operands.
    finishes : list of Finish
        The outputs made of them.
    flag : int or None
        The partial result that says whether an index was out of bounds; there are none without indices.
    begun : int or None
        The partial result that counts the pieces that somebody has begun, where they wait for those before them.
    zeros : list of int
        The partial results that are 0 before the first piece.
    sized : bool
        Whether a value depends on the lengths of axes.
    """

    def __init__(self, kernel: Kernel, form: Form, dtypes: Iterable[DType]) -> None:
        self.kernel = kernel
        self.form = form
        self.dtypes = (*dtypes, *[node.dtype for node in kernel.kept])
        self.values: list[Value] = []
        self.sinks: list[Sink] = []
        self.partials: list[Partial] = []
        self.finishes: list[Finish] = []
        self.flag: int | None = None
        self.begun: int | None = None
        self.zeros: list[int] = []
        self.sized = False
        self._known_partials: dict[Any, int] = {}
        self._loop = {axis: i for i, axes in enumerate(form.loops) for axis in axes}
        self._outputs = {number: k for k, number in enumerate(kernel.outputs)}
        self._numbers: dict[int, int] = {}  # of the kernel's values
        for i, (axes, dtype) in enumerate(zip(kernel.inputs, self.dtypes, strict=False)):
            if not is_known(dtype):
                raise Unprintable(str(dtype))
            self._numbers[i] = self._add(Value("input", (i,), self._loops_of(axes), dtype))
        axes_of = [*kernel.inputs, *[one.axes for one in kernel.body]]
        for i, one in enumerate(kernel.body, len(kernel.inputs)):
            if any(axes_of[a] != operand_axes(one, k, axes_of[a]) for k, a in enumerate(one.args)):
                raise Unprintable(f"{one.node.op.name} along two axes that are one")
            self._instruction(i, one)

    def of(self, kernel: Kernel) -> Lowered:
        """The same for a kernel that differs in nothing but lengths, where this is not `sized`."""
        found = copy.copy(self)
        found.kernel = kernel
        return found

    @functools.cached_property
    def description(self) -> str:
        """All that code is printed from, in short: what has the same description has the same code."""
        form = self.form._replace(loops=())
        dtypes = [dtype.str for dtype in self.dtypes]
        values = [
            (op, args, sorted(loops), dtype.str, params, sorted(reduced))
            for op, args, loops, dtype, params, reduced in self.values
        ]
        sinks = [(i, sorted(loops), sorted(reduced), *rest) for i, loops, reduced, *rest in self.sinks]
        partials = [(sorted(loops), dtype.str, *rest) for loops, dtype, *rest in self.partials]
        special = self.flag, self.begun
        return repr((len(self.kernel.inputs), len(self.form.loops), form, dtypes, values, sinks, partials, special))

    def _loops_of(self, axes: Axes) -> Loops:
        return frozenset([self._loop[a] for a in axes if a != NO_AXIS])

    def _add(self, value: Value) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def _map(self, op: str, *args: int, dtype: DType, params: Any = None) -> int:
        operands = tuple([self.values[a].dtype for a in args])
        if op == "astype" and operands[0] == dtype:
            return args[0]
        if not scalars.supports(op, operands, dtype):
            raise Unprintable(f"{op} of {', '.join(map(str, operands))}")
        loops = frozenset().union(*[self.values[a].loops for a in args])
        return self._add(Value(op, args, loops, dtype, params))

    def _constant(self, value: Any, dtype: DType) -> int:
        return self._add(Value("constant", (), frozenset(), dtype, value))

    def _instruction(self, number: int, one: Instruction) -> None:
        name, dtype = one.node.op.name, one.node.dtype
        args = [self._numbers[a] for a in one.args]
        if name in _SAME:
            self._numbers[number] = args[0]
        elif one.node.op.kind in ("elementwise", "cast"):
            self._numbers[number] = self._map(name, *args, dtype=dtype, params=one.node.params.get("given"))
        elif name == "take":
            self._numbers[number] = self._take(one, *args)
        elif one.node.op.kind == "scan":
            self._numbers[number] = self._scan(one, args[0])
        elif one.node.op.name in POSITIONS:
            self._numbers[number] = self._position(one, args[0])
        elif one.node.op.kind == "reduction":
            self._reduction(number, one, args[0])
            if number not in self._numbers:
                return
        else:
            raise Unprintable(name)
        if number in self._outputs:
            target = len(self.kernel.inputs) + self._outputs[number]
            self.sinks.append(
                Sink(self._numbers[number], self._loops_of(one.axes), frozenset(), "store", target, EVERYTHING)
            )

    def _take(self, one: Instruction, x: int, index: int) -> int:
        """Elements of an input by their index."""
        if self.values[x].op != "input":
            raise Unprintable("elements of what is computed")
        if self.flag is None:
            self.flag = self._counter(frozenset())
        (along,) = self._loops_of((self.kernel.inputs[one.args[0]][one.node.params["axis"]],))
        kept = self._loops_of(one.axes)
        return self._add(Value("take", (index,), kept, one.node.dtype, self.values[x].args[0], frozenset((along,))))

    def _counter(self, kept: Loops) -> int:
        """The number of a partial result that begins with 0."""
        self.zeros.append(len(self.partials))
        self.partials.append(Partial(kept, _INT, False, "store"))
        return self.zeros[-1]

    def _scan(self, one: Instruction, x: int) -> int:
        """What reduces all elements of a row up to each of them."""
        kept, along = self._loops_of(one.axes), self._loops_of(scanned(one))
        last = len(self.form.loops) - 1
        outside = min(along) < self.form.outer
        if outside and (self.form.pieces in along or last not in kept):
            raise Unprintable(f"{one.node.op.name} along an axis that is cut")
        dtype, how = one.node.dtype, _SCANS[one.node.op.name]
        x = self._map("astype", x, dtype=dtype)
        if not outside and self.form.pieces not in along:
            return self._add(Value("scan", (x,), kept, dtype, (how,), along))
        so_far = self._held(len(self.partials))
        self.partials.append(Partial(kept - along, dtype, False, how))
        if outside:
            return self._add(Value("running", (x,), kept, dtype, (how, so_far), along))
        if self.begun is None:
            self.begun = self._counter(frozenset())
        done = self._held(self._counter(kept - along))
        return self._add(Value("scan", (x,), kept, dtype, (how, so_far, done), along))

    # --- reductions --------------------------------------------------------------------------------------------------

    def _reduction(self, number: int, one: Instruction, x: int) -> None:
        """The values of a reduction, or its partial results where it goes on in other pieces or outer loops."""
        name, dtype = one.node.op.name, one.node.dtype
        kept, gone = self._loops_of(one.axes), self._loops_of(one.reduced)
        form = self.form
        if self.values[x].loops - kept - gone:
            raise Unprintable(f"{name} along other axes")
        if name in ("max", "min") and dtype.kind == "c":
            raise Unprintable(f"{name} of {dtype}")
        count = math.prod([self.kernel.lengths[a] for a in one.reduced])
        if name in _PLAIN:
            if name in ("any", "all"):
                x = self._map("astype", x, dtype=_BOOL)
            elif name == "count_nonzero":
                x = self._map("astype", self._map("astype", x, dtype=_BOOL), dtype=dtype)
            else:
                x = self._map("astype", x, dtype=dtype)
        crossing = form.pieces in gone or any(i < form.outer for i in gone)
        if not crossing:
            self._numbers[number] = self._whole(name, x, kept, gone, count, one)
            return
        made = [self._partial(_PLAIN.get(name, "sum"), x, kept, gone)]
        if name in ("var", "std"):
            made.append(self._center(x, kept, gone, dtype))
            center = self._add(Value("input", (self._held(made[-1]),), kept, self.values[x].dtype))
            apart = self._map("subtract", x, center, dtype=self.values[x].dtype)
            made.append(self._partial("sum", apart, kept, gone))
            made.append(self._partial("sum", self._squared(apart, dtype), kept, gone))
        self.finishes.append(Finish(self._outputs[number], one, tuple(made)))

    def _position(self, one: Instruction, x: int) -> int:
        """Where the largest or smallest element is along a loop that one piece of work does as a whole."""
        kept, gone = self._loops_of(one.axes), self._loops_of(one.reduced)
        if not gone:
            return self._constant(0, _INT)
        (loop,) = gone
        if loop == self.form.pieces or loop < self.form.outer:
            raise Unprintable(f"{one.node.op.name} along an axis that is cut")
        if self.values[x].dtype.kind == "c":
            raise Unprintable(f"{one.node.op.name} of {self.values[x].dtype}")
        place = self._add(Value("place", (), gone, _INT, loop))
        pair = self._add(Value("pair", (x, place), self.values[x].loops | gone, self.values[x].dtype))
        best = self._reduce(one.node.op.name, pair, kept, gone)
        return self._add(Value("second", (best,), self.values[best].loops, _INT))

    def _partial(self, how: str, x: int, kept: Loops, gone: Loops, turn: int = EVERYTHING) -> int:
        """The number of a partial result: `x` reduced in each piece, in a certain walk over it."""
        key = (how, x, kept, gone, turn)
        if key not in self._known_partials:
            self._known_partials[key] = len(self.partials)
            self.partials.append(Partial(kept, self.values[x].dtype, self.form.pieces in gone, how))
            self.sinks.append(Sink(x, kept, gone, how, self._held(self._known_partials[key]), turn))
        return self._known_partials[key]

    def _held(self, partial: int) -> int:
        """The operand that a partial result is."""
        return len(self.kernel.inputs) + len(self.kernel.outputs) + partial

    def _center(self, x: int, kept: Loops, gone: Loops, real: DType) -> int:
        """The number of the partial result that `x` is seen from in each piece.

        Where that is the mean of a part of what a piece reduces, that part itself is at least as far from the mean of
        all: squared distances from the center lose at most as many times more to rounding as the part is smaller.
        """
        dtype = self.values[x].dtype
        key = ("center", x, kept, gone)
        if key not in self._known_partials:
            at_start = self.form.pieces in gone
            turns = (SUM_OF_START, MEAN_OF_START) if at_start else (SUM_OF_ALL, MEAN_OF_ALL)
            total = self._partial("sum", x, kept, gone, turns[0])
            held = self._add(Value("input", (self._held(total),), kept, dtype))
            count = self._map(
                "astype", self._add(Value("count", (), frozenset(), _INT, tuple(sorted(gone)))), dtype=real
            )
            mean = self._divided(held, count)
            self._known_partials[key] = len(self.partials)
            self.partials.append(Partial(kept, dtype, at_start, "store"))
            self.sinks.append(Sink(mean, kept, frozenset(), "store", self._held(self._known_partials[key]), turns[1]))
        return self._known_partials[key]

    def _whole(self, name: str, x: int, kept: Loops, gone: Loops, count: int, one: Instruction) -> int:
        """The result of a reduction that is finished in one go."""
        dtype = one.node.dtype
        self.sized = self.sized or name in ("mean", "var", "std")
        if name in ("var", "std"):
            center = self._divided(self._reduce("sum", x, kept, gone), self._constant(count, dtype))
            apart = self._map("subtract", x, center, dtype=self.values[x].dtype)
            total = self._reduce("sum", self._squared(apart, dtype), kept, gone)
            degrees = count - one.node.params["correction"]
            divisor = degrees if degrees > 0 else math.nan
            result = self._map("divide", total, self._constant(divisor, dtype), dtype=dtype)
            return self._map("sqrt", result, dtype=dtype) if name == "std" else result
        result = self._reduce(_PLAIN[name], x, kept, gone)
        if name == "mean":
            result = self._divided(result, self._constant(count, np.dtype(f"f{_real_size(dtype)}")))
        return result

    def _reduce(self, how: str, x: int, kept: Loops, gone: Loops) -> int:
        value = self.values[x]
        if not gone:  # axes of length 1
            # Sums begin with 0, which makes -0.0 alone 0.0, and products with 1, which makes NaN of complex infinities.
            if how == "sum" and value.dtype.kind in "fc":
                return self._map("add", x, self._constant(0, value.dtype), dtype=value.dtype)
            if how == "prod" and value.dtype.kind == "c":
                return self._map("multiply", self._constant(1, value.dtype), x, dtype=value.dtype)
            return x
        return self._add(Value("reduce", (x,), kept & value.loops, value.dtype, how, gone))

    def _divided(self, x: int, count: int) -> int:
        """`x` over a real number; complex numbers part by part, so that NaN does not leak from one into the other."""
        dtype = self.values[x].dtype
        if dtype.kind != "c":
            return self._map("divide", x, count, dtype=dtype)
        real = self.values[count].dtype
        parts = [self._map("divide", self._map(p, x, dtype=real), count, dtype=real) for p in ("real", "imag")]
        return self._map("complex", *parts, dtype=dtype)

    def _squared(self, x: int, real: DType) -> int:
        """The square of the distance from zero."""
        if self.values[x].dtype.kind != "c":
            return self._map("square", x, dtype=real)
        parts = [self._map("square", self._map(p, x, dtype=real), dtype=real) for p in ("real", "imag")]
        return self._map("add", *parts, dtype=real)


def _real_size(dtype: DType) -> int:
    return dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize


@functools.cache
def _printable(name: str, reduction: bool, operands: tuple[DType, ...], result: DType) -> bool:
    if name in _SCANS or name == "take":
        return all(map(is_known, (*operands, result)))
    if reduction:
        if not all(map(is_known, (*operands, result))):
            return False
        return operands[0].kind != "c" or name not in ("max", "min", *POSITIONS)
    return scalars.supports(name, operands, result)


def printable(node: Node) -> bool:
    """Whether there is code for an elementwise op, a cast, a reduction, a scan or what is taken."""
    return _printable(node.op.name, reduces(node), tuple([a.dtype for a in node.args]), node.dtype)
