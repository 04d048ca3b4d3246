"""The interpreter of kernels: NumPy runs the body on one block after the other, in buffers that stay in the cache."""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors import registry
from lazyxp.executors.numpy import buffers
from lazyxp.executors.numpy.combining import COMBINERS, Combined, Continued, most_parts
from lazyxp.executors.numpy.memory_order import empty_in_order, memory_order
from lazyxp.kernel import NO_AXIS, Axes, Instruction, Kernel, blame, scanned

# How many bytes of memory a block works on. Smaller blocks are dominated by the cost of calls, larger ones fall out of
# the cache; measured, a quarter and four times as much are both slower by a few percent.
CACHE = 1 << 20
# The arrays in what a variance is combined from.
_MOMENTS = 4

Array = np.ndarray[Any, Any]
# The part of each axis that a block has.
Slices = tuple[slice, ...]
Key = tuple[Any, ...]
# The length of each axis in one block.
Lengths = tuple[int, ...]


def run(kernel: Kernel, inputs: Sequence[Array], into: Sequence[Array | None] | None = None) -> tuple[Array, ...]:
    """The outputs of `kernel`, each written `into` memory where that is given."""
    program = _programs.get(kernel)
    if program is None:
        program = _programs[kernel] = Program(kernel)
    return program.run(kernel, inputs, into or [None] * len(kernel.outputs))


class Step:
    """An instruction, resolved: what is called, and where its result goes."""

    __slots__ = (
        "args",
        "axes",
        "broadcasts",
        "call",
        "combiner",
        "instruction",
        "number",
        "slot",
        "target",
        "with_out",
    )

    def __init__(self, instruction: Instruction, number: int, output: int | None) -> None:
        name = instruction.node.op.name
        self.instruction = instruction
        self.number = number
        self.args = instruction.args
        self.axes = instruction.axes
        self.target = output  # the output in whose memory the result is
        self.slot: int | None = None  # the buffer that it is in otherwise
        self.broadcasts = name == "broadcast_to"
        self.combiner = COMBINERS.get(name)
        self.with_out = True
        function = registry.get("numpy").implementation(name)  # type: ignore[attr-defined]
        params = instruction.node.params
        if isinstance(function, np.ufunc):
            self.call: Callable[..., Any] = function
        elif name in _INTO:
            self.call = _INTO[name]
        else:
            self.with_out = False
            self.call = _with_params(function, params) if params else function

    @property
    def in_place(self) -> bool:
        """Whether the result may overwrite an operand of the same layout."""
        return isinstance(self.call, np.ufunc)


def _with_params(function: Any, params: dict[str, Any]) -> Callable[..., Any]:
    return lambda *arrays: function(*arrays, **params)


def _astype_into(x: Any, out: Array) -> None:
    np.copyto(out, x, casting="unsafe")


def _where_into(condition: Any, x: Any, y: Any, out: Array) -> None:
    np.copyto(out, y)
    np.copyto(out, x, where=np.asarray(condition, bool))


_INTO: dict[str, Callable[..., Any]] = {"astype": _astype_into, "where": _where_into}


class Program:
    """A kernel made ready to run: calls resolved, and buffers shared by values that do not live at the same time."""

    def __init__(self, kernel: Kernel) -> None:
        self._inputs = len(kernel.inputs)  # of `kernel` itself nothing is kept: it would never be forgotten
        first = len(kernel.inputs)
        output_of = {number: k for k, number in enumerate(kernel.outputs)}
        self.steps = [Step(one, first + i, output_of.get(first + i)) for i, one in enumerate(kernel.body)]
        self.slots: list[tuple[Axes, int]] = []  # axes and item size of each buffer
        self._schedules: dict[Axes, Schedule] = {}
        self._share_buffers()

    def _share_buffers(self) -> None:
        """Give each value that is neither an output nor a view a buffer that nobody reads any more."""
        first = self._inputs
        behind: dict[int, frozenset[int]] = {i: frozenset() for i in range(first)}  # whose buffers a value lies in
        last: dict[int, int] = {}
        for step in self.steps:
            read = frozenset().union(*[behind[a] for a in step.args])
            for number in read:
                last[number] = step.number
            if step.with_out and step.target is None:
                behind[step.number] = frozenset((step.number,))
            else:
                behind[step.number] = frozenset() if step.with_out or step.instruction.reduced else read
        free: dict[tuple[Axes, int], list[int]] = {}
        slot_of: dict[int, int] = {}
        for step in self.steps:
            done = {n for a in step.args for n in behind[a] if last[n] == step.number}
            early = [n for n in done if step.in_place and n in step.args and self._axes(n) == step.axes]
            for number in early:
                self._release(number, slot_of, free)
            if step.target is not None and step.with_out:
                self._lend(step, [slot_of[n] for n in early])
            if step.with_out and step.target is None:
                key = (step.axes, step.instruction.node.dtype.itemsize)
                if free.get(key):
                    step.slot = free[key].pop()
                else:
                    step.slot = len(self.slots)
                    self.slots.append(key)
                slot_of[step.number] = step.slot
            for number in done.difference(early):
                self._release(number, slot_of, free)

    def _lend(self, step: Step, dying: list[int]) -> None:
        """Let values that lead to an output be computed where it will be, so that less memory is in the cache."""
        dtype = step.instruction.node.dtype
        slot = next((slot for slot in dying if self.slots[slot] == (step.axes, dtype.itemsize)), None)
        for earlier in self.steps[: step.number - self._inputs]:
            if slot is not None and earlier.slot == slot and earlier.instruction.node.dtype == dtype:
                earlier.slot, earlier.target = None, step.target

    def _axes(self, number: int) -> Axes:
        return self.steps[number - self._inputs].axes

    def _release(self, number: int, slot_of: dict[int, int], free: dict[tuple[Axes, int], list[int]]) -> None:
        slot = slot_of[number]
        free.setdefault(self.slots[slot], []).append(slot)

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, kernel: Kernel, inputs: Sequence[Array], into: Sequence[Array | None]) -> tuple[Array, ...]:
        """The outputs of the kernel that this is the program of, for these operands."""
        order = memory_order(kernel, inputs)
        schedule = self._schedules.get(order)
        if schedule is None:
            schedule = self._schedules[order] = Schedule(kernel, order, self.block_size(kernel, inputs))
        outputs = [
            empty_in_order(one.node.shape, one.axes, order, one.node.dtype, buffers.empty) if given is None else given
            for given, one in zip(into, [kernel.body[number - len(inputs)] for number in kernel.outputs], strict=True)
        ]
        combined = [
            Combined(step.combiner, step.instruction, kernel, schedule.lengths)
            if step.combiner is not None and any(a in schedule.cut for a in step.instruction.reduced)
            else None
            for step in self.steps
        ]
        continued = [
            Continued(step.instruction) if any(a in schedule.cut for a in scanned(step.instruction)) else None
            for step in self.steps
        ]
        pool = [
            empty_in_order([_side(schedule.lengths, a) for a in axes], axes, order, _PLAIN[size])
            for axes, size in self.slots
        ]
        held = [self._buffers(pool, sides) for sides in schedule.sides]
        values: list[Any] = [*inputs, *[None] * len(self.steps)]
        for block in schedule.blocks:
            for i, key in block.inputs:
                values[i] = inputs[i][key]
            targets = [out[key] for out, key in zip(outputs, block.outputs, strict=True)]
            self._run_block(values, block, held[block.sides], targets, combined, continued)
        return tuple(outputs)

    def block_size(self, kernel: Kernel, inputs: Sequence[Any]) -> int:
        """How many elements the largest value may have in a block, so that everything fits the cache."""
        held = [(axes, x.dtype.itemsize) for axes, x in zip(kernel.inputs, inputs, strict=True)]
        held += [(axes, size) for i, (axes, size) in enumerate(self.slots) if any(s.slot == i for s in self.steps)]
        held += [(s.axes, s.instruction.node.dtype.itemsize) for s in self.steps if s.slot is None]
        sizes = [math.prod([_side(kernel.lengths, a) for a in axes]) for axes, _ in held]
        largest = max(*sizes, kernel.largest())
        together = sum(size * int(item) for size, (_, item) in zip(sizes, held, strict=True))
        return max(1, CACHE * largest // together)

    def _buffers(self, pool: list[Array], sides: Lengths) -> list[Array | None]:
        """For each step, the buffer of its result in a block of these sides."""
        found: list[Array | None] = []
        for step in self.steps:
            if step.slot is None:
                found.append(None)
            else:
                key: Key = (*[slice(_side(sides, a)) for a in step.axes], ...)
                buffer = pool[step.slot][key]
                found.append(buffer.view(step.instruction.node.dtype))
        return found

    def _run_block(
        self,
        values: list[Any],
        block: Block,
        buffers: list[Array | None],
        targets: list[Array],
        combined: list[Combined | None],
        continued: list[Continued | None],
    ) -> None:
        shared: dict[Any, Any] = {}  # what several reductions of one value have in common
        try:
            for step, buffer, across, on in zip(self.steps, buffers, combined, continued, strict=True):
                args = [values[a] for a in step.args]
                target = step.target
                if across is not None:
                    done = across.add(args[0], block.part, shared)
                    if done is not None and target is not None:
                        targets[target][...] = done.reshape(targets[target].shape)
                    continue
                if target is not None:
                    buffer = targets[target]
                if step.with_out:
                    step.call(*args, out=buffer)
                    values[step.number] = buffer
                    continue
                if on is not None:
                    result = on.add(args[0], block.part)
                else:
                    result = np.broadcast_to(args[0], block.shape(step.axes)) if step.broadcasts else step.call(*args)
                if buffer is not None:
                    buffer[...] = result
                    result = buffer
                values[step.number] = result
        except Exception as error:
            blame(error, step.instruction)
            raise


class Block(NamedTuple):
    """One block: its part of the iteration space, and the keys of its parts of inputs and outputs.

    `sides` is the number of its shape among those that occur; inputs that are the same in all blocks are left out.
    """

    part: Slices
    sides: int
    inputs: list[tuple[int, Key]]
    outputs: list[Key]

    def shape(self, axes: Axes) -> tuple[int, ...]:
        """The shape of a value in this block."""
        return tuple([1 if a == NO_AXIS else self.part[a].stop - self.part[a].start for a in axes])


class Schedule:
    """Which blocks a kernel is run in, where the axes lie in memory in a certain order."""

    def __init__(self, kernel: Kernel, order: Axes, size: int) -> None:
        self.lengths = _block_lengths(kernel, order, size)
        crossed = {a for one in kernel.body for a in one.reduced}
        # What is reduced goes by fastest, so that few parts of results wait for others.
        self.cut = tuple(sorted([a for a in order if self.lengths[a] < kernel.lengths[a]], key=crossed.__contains__))
        moving = [i for i, axes in enumerate(kernel.inputs) if any(a in self.cut for a in axes)]
        kept = [kernel.body[number - len(kernel.inputs)] for number in kernel.outputs]
        numbers: dict[Lengths, int] = {}
        self.blocks = []
        for part in _parts(kernel.lengths, self.lengths, self.cut):
            sides = numbers.setdefault(tuple([s.stop - s.start for s in part]), len(numbers))
            self.blocks.append(
                Block(
                    part,
                    sides,
                    [(i, _key(kernel.inputs[i], part)) for i in moving],
                    [_key(one.axes, part) for one in kept],
                )
            )
        self.sides = list(numbers)


def scratch(kernel: Kernel, operands: Sequence[Any]) -> int:
    """The bytes that a run of `kernel` takes for one block, on top of its results; of `operands` dtypes matter only."""
    program = Program(kernel)
    lengths = _block_lengths(kernel, tuple(range(len(kernel.lengths))), program.block_size(kernel, operands))
    total = sum([math.prod([_side(lengths, a) for a in axes]) * itemsize for axes, itemsize in program.slots])
    dtypes = [*[x.dtype for x in operands], *[one.node.dtype for one in kernel.body]]
    most = 0
    for step in program.steps:
        one = step.instruction
        space = math.prod([_side(lengths, a) for a in (*one.axes, *one.reduced)])
        blocks = math.prod([-(-kernel.lengths[a] // lengths[a]) for a in one.reduced])
        if one.node.op.name in ("var", "std"):
            real, is_complex = one.node.dtype.itemsize, dtypes[one.args[0]].kind == "c"
            # The distances; complex ones are still there while the products of their parts are added.
            most = max(most, space * real * ((4 if blocks > 1 else 2) if is_complex else 1))
        elif not step.with_out and not one.reduced and one.node.op.kind in ("elementwise", "scan"):
            total += space * one.node.dtype.itemsize  # stays until the next block
        if step.combiner is not None and blocks > 1:
            part = math.prod([_side(lengths, a) for a in one.axes]) * dtypes[one.args[0]].itemsize
            total += most_parts(blocks) * part * (_MOMENTS if one.node.op.name in ("var", "std") else 1)
    return total + most


# What kernels were made ready for; a kernel is forgotten with the plans that run it.
_programs: weakref.WeakKeyDictionary[Kernel, Program] = weakref.WeakKeyDictionary()


def _key(axes: Axes, part: Slices) -> Key:
    """The key of the part of a value with these axes that lies in a block: a view, even of 0-d arrays."""
    return (*[_ALL if a == NO_AXIS else part[a] for a in axes], ...)


_ALL = slice(None)


def _side(lengths: Sequence[int], axis: int) -> int:
    return 1 if axis == NO_AXIS else lengths[axis]


# What buffers are made of, by item size; values see them in their own dtype.
_PLAIN = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


def _block_lengths(kernel: Kernel, order: Axes, size: int) -> Lengths:
    """How long each axis is in a block: the outer ones are cut first, into equal pieces."""
    lengths = list(kernel.lengths)
    spaces = {frozenset((*one.axes, *one.reduced)) - {NO_AXIS} for one in kernel.body}
    for axis in order:
        if axis not in kernel.cut:
            continue
        inner = max(math.prod(lengths[a] for a in space if a != axis) for space in spaces if axis in space)
        longest = max(1, size // inner)
        if lengths[axis] <= longest:
            break
        pieces = -(-lengths[axis] // longest)
        lengths[axis] = -(-lengths[axis] // pieces)
    return tuple(lengths)


def _parts(whole: Lengths, lengths: Lengths, cut: Axes) -> Iterator[Slices]:
    """The parts of the axes that make up each block; the last of `cut` goes by fastest."""
    ranges = [range(0, whole[a], lengths[a]) for a in cut]
    block = [slice(0, n) for n in whole]
    for starts in itertools.product(*ranges):
        for axis, start in zip(cut, starts, strict=True):
            block[axis] = slice(start, min(start + lengths[axis], whole[axis]))
        yield tuple(block)
