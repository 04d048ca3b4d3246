"""The frame of a kernel in LLVM IR: arguments, loops, and where operands are in memory."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lazyxp.executors.numpy.llvm.form import ABSENT, STRIDED, UNCUT, UNIT
from lazyxp.executors.numpy.llvm.ir import Emitter, Names
from lazyxp.executors.numpy.llvm.lower import Lowered
from lazyxp.executors.numpy.llvm.memory import Memory
from lazyxp.executors.numpy.llvm.windows import LINE

# The index that stands for the piece of work in the strides of partial results.
PIECE = -1
# What a piece of work is seen from is found in one of so many parts of it: walking over that costs little.
_STARTS = 16
# Where the loops are: the index of each, and of the piece of work.
Index = dict[int, str]
# For each value that is kept for a while: the loops along which it varies, and the size of its elements.
Scratch = tuple[tuple[tuple[int, ...], int], ...]


def _scratch_numbers(scratch: Scratch) -> list[int]:
    """What `scratch_at` reads."""
    return [len(scratch), *[n for loops, size in scratch for n in (size, len(loops), *loops)]]


def scratch_at(address: int) -> Scratch:
    """What the code of a kernel says of its scratch memory."""
    places = itertools.count(address, 8)

    def number() -> int:
        return ctypes.c_int64.from_address(next(places)).value

    found = []
    for _ in range(number()):
        size, loops = number(), number()
        found.append((tuple([number() for _ in range(loops)]), size))
    return tuple(found)


class Frame:
    """A function while it is printed.

    Attributes
    ----------
    lowered : Lowered
        What is printed.
    one, wide : Emitter
        Emit at the end of the function: for one lane, and for all lanes of vectors.
    piece : str
        The number of the piece of work that is done.
    """

    def __init__(self, lowered: Lowered, lanes: int) -> None:
        self.lowered = lowered
        self._names = Names()
        self._entry: list[str] = []  # what is done once: allocations, and the arguments that are used
        self._lines: list[str] = []
        self.one = Emitter(self._names, 1, self._lines)
        self.wide = Emitter(self._names, lanes, self._lines)
        self.piece = ""
        self._label = "entry"
        self._arguments: dict[int, str] = {}
        self._bounds: dict[int, tuple[str, str]] = {}
        # Values that are kept for later walks, and their numbers; the loops they vary along, and the size of elements.
        self.stored: dict[int, int] = {}
        self.scratch: list[tuple[tuple[int, ...], int]] = []
        # Operands that are read from somewhere else for now.
        self.instead: dict[int, Memory] = {}

    def text(self) -> str:
        """The module."""
        declarations = "\n".join(self._names.declarations.values())
        numbers = _scratch_numbers(tuple(self.scratch))
        scratch = f"@scratch = constant [{len(numbers)} x i64] [{', '.join([f'i64 {n}' for n in numbers])}]"
        lines = "\n".join([*self._entry, *self._lines])
        # Vectors that find no register are kept on the stack: where it is not aligned, they may lie across two pages.
        head = "define void @kernel(ptr %arguments, i64 %first, i64 %last, ptr %scratch) alignstack(64) nounwind {"
        # What went past the cache has to be there before another thread is told that it is.
        end = "fence seq_cst\nret void\n}\n!0 = !{i32 1}" if self.lowered.form.streams else "ret void\n}"
        return f"{declarations}\n{scratch}\n{head}\nentry:\n{lines}\n{end}\n"

    # --- arguments and loops -----------------------------------------------------------------------------------------

    @contextmanager
    def pieces(self) -> Iterator[None]:
        """Code for each piece of work."""
        form = self.lowered.form
        with self.loop("%first", "%last") as piece:
            if self.lowered.begun is not None:  # in their order, whoever is asked to do which of them
                begun = self.operand(len(form.layout) + self.lowered.begun).base
                where = self.one.new(f"inttoptr i64 {begun} to ptr")
                piece = self.one.new(f"atomicrmw add ptr {where}, i64 1 monotonic")
            self.piece = piece
            if form.pieces != UNCUT:
                step, length = self._step(), self.length(form.pieces)
                start = self.one.op("mul", "i64", piece, step)
                self._bounds = {form.pieces: (start, self.least(self.one.op("add", "i64", start, step), length))}
            yield

    @contextmanager
    def narrowed(self, loop: int, step: int) -> Iterator[None]:
        """Code for each part of a loop that is so long: its range is that part."""
        low, high = whole = self.range(loop)
        with self.loop(low, high, str(step)) as start:
            self._bounds[loop] = start, self.least(self.one.op("add", "i64", start, str(step)), high)
            yield
        self._bounds[loop] = whole

    @contextmanager
    def start_of_piece(self) -> Iterator[None]:
        """Code for the first of `_STARTS` parts of the loop that is cut."""
        loop = self.lowered.form.pieces
        low, high = whole = self.range(loop)
        rest = self.one.op("add", "i64", self.one.op("sub", "i64", high, low), str(_STARTS - 1))
        self._bounds[loop] = low, self.one.op("add", "i64", low, self.one.op("udiv", "i64", rest, str(_STARTS)))
        yield
        self._bounds[loop] = whole

    def least(self, x: str, y: str) -> str:
        """The smaller number."""
        return self.one.select(self.one.op("icmp slt", "i64", x, y), "i64", x, y)

    def _count(self) -> int:
        """How many operands there are."""
        return len(self.lowered.form.layout) + len(self.lowered.partials)

    def _argument(self, number: int) -> str:
        """An argument, loaded once."""
        found = self._arguments.get(number)
        if found is None:
            found = self._arguments[number] = self._names.new("a")
            where = self._names.new("a")
            self._entry.append(f"{where} = getelementptr i64, ptr %arguments, i64 {number}")
            self._entry.append(f"{found} = load i64, ptr {where}")
        return found

    def length(self, loop: int) -> str:
        """The length of a loop."""
        return self._argument(self._count() + loop)

    def _step(self) -> str:
        """The length of a piece of work."""
        return self._argument(self._count() + len(self.lowered.form.loops))

    def _stride(self, operand: int, loop: int) -> str:
        loops = len(self.lowered.form.loops)
        return self._argument(self._count() + loops + 1 + operand * loops + loop)

    def range(self, loop: int) -> tuple[str, str]:
        """Where a loop begins and ends in this piece of work."""
        return self._bounds.get(loop) or ("0", self.length(loop))

    def alloca(self, kind: str) -> str:
        """The address of a value of some type that the function holds."""
        name = self._names.new("m")
        self._entry.append(f"{name} = alloca {kind}")
        return name

    @contextmanager
    def loop(self, start: str, stop: str, step: str = "1") -> Iterator[str]:
        """Code for each number from `start` to before `stop`."""
        index, following, more = (self._names.new("i") for _ in range(3))
        head, body, latch, done = (self._names.new("L")[1:] for _ in range(4))
        self._lines += [f"br label %{head}", f"{head}:"]
        self._lines.append(f"{index} = phi i64 [ {start}, %{self._label} ], [ {following}, %{latch} ]")
        self._lines += [f"{more} = icmp slt i64 {index}, {stop}", f"br i1 {more}, label %{body}, label %{done}"]
        self._open(body)
        yield index
        self._lines.append(f"br label %{latch}")
        self._open(latch)
        self._lines += [f"{following} = add i64 {index}, {step}", f"br label %{head}"]
        self._open(done)

    @contextmanager
    def waiting(self) -> Iterator[Callable[[str], None]]:
        """Code that is done again and again, from when the function that is given says so, as long as that holds."""
        head, body, done = (self._names.new("L")[1:] for _ in range(3))
        self._lines.append(f"br label %{head}")
        self._open(head)

        def on(condition: str) -> None:
            self._lines.append(f"br i1 {condition}, label %{body}, label %{done}")
            self._open(body)

        yield on
        self._lines.append(f"br label %{head}")
        self._open(done)

    def _open(self, label: str) -> None:
        self._lines.append(f"{label}:")
        self._label = label

    # --- memory ------------------------------------------------------------------------------------------------------

    def operand(self, number: int) -> Memory:
        """The memory of an operand: an input, an output or a partial result."""
        if number in self.instead:
            return self.instead[number]
        lowered = self.lowered
        form, first = lowered.form, len(lowered.form.layout)
        base = self._argument(number)
        cut, streams = False, 0
        if number < first:
            dtype = lowered.dtypes[number]
            letters = dict(enumerate(form.layout[number]))
            if form.streams and number >= len(lowered.kernel.inputs):
                streams = LINE if form.streams == 1 else form.streams
        else:
            partial = lowered.partials[number - first]
            dtype, cut = partial.dtype, partial.cut
            letters = dict.fromkeys(sorted(partial.loops), STRIDED)
            if letters:
                letters[max(letters)] = UNIT
        lies = {
            loop: (letter, str(dtype.itemsize) if letter == UNIT else self._stride(number, loop))
            for loop, letter in letters.items()
            if letter != ABSENT
        }
        if cut:
            lies[PIECE] = STRIDED, self._stride(number, form.pieces)  # one part for each piece
        return Memory(base, dtype, lies, streams)

    def keep(self, value: int) -> None:
        """Have memory for a value, from one walk over a row to a later one."""
        found = self.lowered.values[value]
        if value not in self.stored:
            self.stored[value] = len(self.scratch)
            loops = tuple(sorted([loop for loop in found.loops if loop >= self.lowered.form.outer]))
            self.scratch.append((loops, found.dtype.itemsize))

    def held(self, number: int) -> str:
        """The address of scratch memory."""
        where = self.one.new(f"getelementptr i64, ptr %scratch, i64 {number}")
        return self.one.new(f"load i64, ptr {where}")

    def kept(self, value: int) -> Memory:
        """The memory of a value that is kept."""
        number = self.stored[value]
        loops, size = self.scratch[number]
        base, pieces = self.held(number), self.lowered.form.pieces
        lies: dict[int, tuple[str, str]] = {}
        stride = str(size)
        for loop in reversed(loops):
            lies[loop] = STRIDED if lies else UNIT, stride
            length = self.length(loop)
            if loop == pieces:
                low, _ = self.range(loop)
                base, length = self.one.op("sub", "i64", base, self.one.op("mul", "i64", low, stride)), self._step()
            stride = self.one.op("mul", "i64", stride, length)
        return Memory(base, self.lowered.values[value].dtype, lies)
