"""Pieces of work that threads take by themselves, in compiled code: whoever is free does the next portion.

Between two portions nobody waits for the interpreter's lock, nor for Python's code, which a kernel that reads much
memory drives out of the caches. Who calls posts a record of the work, does portions of it, withdraws the record when
none are left, and goes on when nobody is at work on it. Threads that help linger for a while after that: to be woken
takes longer than many a kernel.
"""

from __future__ import annotations

import atexit
import functools
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyxp.executors.numpy import threads
from lazyxp.executors.numpy.llvm import compiler, functions
from lazyxp.strides import data_address

Array = np.ndarray[Any, Any]

# Work is measured in instructions on one element each. Less of it than the first is done before another thread wakes
# up; so much of it is done at once, as only then an interrupt can end it: that takes a tenth of a second or so.
_WAKES, _AT_ONCE = 12_000_000, 2_000_000_000
# How often a thread looks whether there is something to help with before it sleeps: for half a millisecond or so.
_LOOKS = 4_096
# Work that begins so many seconds after other work is one of many.
_SOON = 0.001
# Seconds that the interpreter's end waits for who helps a thread that is still at work then.
_LONGEST_END = 5

# What threads see of each other, each on a line of the cache: the record that is posted, how many look at it just now,
# how many linger, and whether that has to end.
_LOOKING, _LINGERING, _ENDED, _SHARED = 8, 16, 24, 32
# The record: what is called, with what, how many pieces in how many portions, how many threads, where the record is.
# Then, each on a line of the cache, how many portions are taken, how many helpers came, and how many are at work.
# And then what each thread works in.
_KERNEL, _ARGUMENTS, _PIECES, _PORTIONS, _LIMIT, _SELF, _TAKEN, _CAME, _HELPING, _SCRATCH = (
    0,
    1,
    2,
    3,
    4,
    5,
    8,
    16,
    24,
    32,
)

_TEXT = f"""
define internal ptr @at(ptr %of, i64 %place) alwaysinline {{
  %found = getelementptr i64, ptr %of, i64 %place
  ret ptr %found
}}

define internal i64 @number(ptr %of, i64 %place) alwaysinline {{
  %where = call ptr @at(ptr %of, i64 %place)
  %found = load i64, ptr %where
  ret i64 %found
}}

define internal void @work(ptr %watched, ptr %record, i64 %who, i64 %most) {{
start:
  %address = call i64 @number(ptr %record, i64 {_KERNEL})
  %kernel = inttoptr i64 %address to ptr
  %given = call i64 @number(ptr %record, i64 {_ARGUMENTS})
  %arguments = inttoptr i64 %given to ptr
  %pieces = call i64 @number(ptr %record, i64 {_PIECES})
  %portions = call i64 @number(ptr %record, i64 {_PORTIONS})
  %place = add i64 %who, {_SCRATCH}
  %own = call i64 @number(ptr %record, i64 %place)
  %scratch = inttoptr i64 %own to ptr
  %taken = call ptr @at(ptr %record, i64 {_TAKEN})
  br label %next
next:
  %k = phi i64 [ 0, %start ], [ %k.next, %call ]
  %now = load atomic ptr, ptr %watched monotonic, align 8
  %same = icmp eq ptr %now, %record
  %few = icmp slt i64 %k, %most
  %may = and i1 %same, %few
  br i1 %may, label %take, label %end
take:
  %i = atomicrmw add ptr %taken, i64 1 monotonic
  %is.left = icmp slt i64 %i, %portions
  br i1 %is.left, label %call, label %end
call:
  %before = mul i64 %pieces, %i
  %from = udiv i64 %before, %portions
  %after = add i64 %before, %pieces
  %to = udiv i64 %after, %portions
  call void %kernel(ptr %arguments, i64 %from, i64 %to, ptr %scratch)
  %k.next = add i64 %k, 1
  br label %next
end:
  ret void
}}

define internal void @wait(ptr %count) {{
start:
  br label %look
look:
  %n = phi i64 [ 0, %start ], [ %n.next, %again ]
  %left = load atomic i64, ptr %count seq_cst, align 8
  %none = icmp eq i64 %left, 0
  br i1 %none, label %end, label %again
again:
  call void @rest(i64 %n)
  %n.next = add i64 %n, 1
  br label %look
end:
  ret void
}}

define void @kernel(ptr %shared, i64 %first, i64 %last, ptr %record) {{
start:
  %found = cmpxchg ptr %shared, ptr null, ptr %record seq_cst seq_cst, align 8
  %is.posted = extractvalue {{ ptr, i1 }} %found, 1
  %self = call ptr @at(ptr %record, i64 {_SELF})
  call void @work(ptr %self, ptr %record, i64 0, i64 %last)
  br i1 %is.posted, label %withdraw, label %end
withdraw:
  store atomic ptr null, ptr %shared seq_cst, align 8
  %looking = call ptr @at(ptr %shared, i64 {_LOOKING})
  call void @wait(ptr %looking)
  %helping = call ptr @at(ptr %record, i64 {_HELPING})
  call void @wait(ptr %helping)
  br label %end
end:
  ret void
}}

define internal i1 @help(ptr %shared) {{
start:
  %looking = call ptr @at(ptr %shared, i64 {_LOOKING})
  %before = atomicrmw add ptr %looking, i64 1 seq_cst
  %record = load atomic ptr, ptr %shared seq_cst, align 8
  %is.gone = icmp eq ptr %record, null
  br i1 %is.gone, label %leave, label %see
see:
  %taken = call ptr @at(ptr %record, i64 {_TAKEN})
  %done = load atomic i64, ptr %taken monotonic, align 8
  %portions = call i64 @number(ptr %record, i64 {_PORTIONS})
  %is.left = icmp slt i64 %done, %portions
  br i1 %is.left, label %come, label %leave
come:
  %came = call ptr @at(ptr %record, i64 {_CAME})
  %earlier = atomicrmw add ptr %came, i64 1 monotonic
  %who = add i64 %earlier, 1
  %limit = call i64 @number(ptr %record, i64 {_LIMIT})
  %is.wanted = icmp slt i64 %who, %limit
  br i1 %is.wanted, label %join, label %leave
join:
  %helping = call ptr @at(ptr %record, i64 {_HELPING})
  %working = atomicrmw add ptr %helping, i64 1 seq_cst
  br label %leave
leave:
  %joins = phi i1 [ true, %join ], [ false, %start ], [ false, %see ], [ false, %come ]
  %as = phi i64 [ %who, %join ], [ 0, %start ], [ 0, %see ], [ 0, %come ]
  %mine = phi ptr [ %helping, %join ], [ null, %start ], [ null, %see ], [ null, %come ]
  %after = atomicrmw sub ptr %looking, i64 1 seq_cst
  br i1 %joins, label %do, label %end
do:
  call void @work(ptr %shared, ptr %record, i64 %as, i64 {1 << 62})
  %done.with = atomicrmw sub ptr %mine, i64 1 seq_cst
  br label %end
end:
  ret i1 %joins
}}

define void @linger(ptr %shared, i64 %first, i64 %last, ptr %nothing) {{
start:
  %lingering = call ptr @at(ptr %shared, i64 {_LINGERING})
  %ended = call ptr @at(ptr %shared, i64 {_ENDED})
  %before = atomicrmw add ptr %lingering, i64 1 seq_cst
  br label %look
look:
  %n = phi i64 [ %first, %start ], [ %n.next, %idle ], [ %first, %help ]
  %stop = load atomic i64, ptr %ended monotonic, align 8
  %is.ended = icmp ne i64 %stop, 0
  %is.late = icmp sge i64 %n, %last
  %leaves = or i1 %is.ended, %is.late
  br i1 %leaves, label %end, label %see
see:
  %posted = load atomic ptr, ptr %shared monotonic, align 8
  %none = icmp eq ptr %posted, null
  br i1 %none, label %idle, label %help
help:
  %helped = call i1 @help(ptr %shared)
  br i1 %helped, label %look, label %idle
idle:
  call void @rest(i64 %n)
  %n.next = add i64 %n, 1
  br label %look
end:
  %after = atomicrmw sub ptr %lingering, i64 1 seq_cst
  ret void
}}
"""


def _rest(pause: str, others: str) -> str:
    """What is done between two looks: hardly anything, but now and then another thread may have the processor."""
    return f"""
define internal void @rest(i64 %n) {{
start:
{pause * 8}  %few = and i64 %n, 15
  %turn = icmp eq i64 %few, 15
  br i1 %turn, label %others, label %end
others:
{others}  br label %end
end:
  ret void
}}
"""


def _text() -> str:
    declared, pause, others = "", "", ""
    if functions.is_x86():
        declared += "declare void @llvm.x86.sse2.pause()\n"
        pause = "  call void @llvm.x86.sse2.pause()\n"
    if hasattr(os, "sched_yield"):
        declared += "declare i32 @sched_yield()\n"
        others = "  %gave.way = call i32 @sched_yield()\n"
    return declared + _TEXT + _rest(pause, others)


def run(
    code: compiler.Compiled,
    arguments: int,
    pieces: int,
    portions: int,
    limit: int,
    work: int,
    scratch: Callable[[], tuple[int, Any]],
) -> None:
    """Do all pieces of a kernel, in so many portions, on so many threads at most.

    Threads that sleep are woken if there is enough `work`, or if it follows other work so soon that more of it is to
    be expected. `scratch` gives the address of what a thread works in, and what holds that memory. Where others have
    posted work of theirs, the calling thread does it all.
    """
    global _latest
    limit = min(limit, portions)
    missing = limit - 1 - int(_shared[_LINGERING])
    wakes = work > _WAKES or time.monotonic() < _latest + _SOON
    if limit > 1 and (wakes or missing < limit - 1):
        if missing > 0 and wakes:
            threads.ask(_linger, missing, limit - 1)
        working = [scratch() for _ in range(limit)]
        given = code.address, arguments, pieces, portions, limit
        record = np.array([*given, *[0] * (_SCRATCH - len(given)), *[where for where, _ in working]], np.int64)
        call, here, what = _compiled().call, data_address(_shared), data_address(record)
        record[_SELF] = what
        while record[_TAKEN] < portions:
            record[_CAME] = 0
            call(here, 0, max(1, portions * _AT_ONCE // max(1, work)), what)
    else:
        where, _held = scratch()
        step = max(1, pieces * _AT_ONCE // max(1, work))
        for first in range(0, pieces, step):
            code.call(arguments, first, min(first + step, pieces), where)
    _latest = time.monotonic()


def _linger() -> None:
    """Help with what is posted, until nothing has been for a while."""
    _lingering()(data_address(_shared), 0, _LOOKS, 0)


@functools.cache
def _compiled() -> compiler.Compiled:
    return compiler.compiled(_text, "portions", str(_LOOKS), exported=("linger",))


@functools.cache
def _lingering() -> compiler.Function:
    return compiler.function(_compiled().addresses[0])


_shared = np.zeros(_SHARED, np.int64)
_latest = 0.0  # when work was done last


def _forget() -> None:
    """Start again: the threads of a process are not in its forks."""
    global _shared
    _shared = np.zeros(_SHARED, np.int64)


def _end() -> None:
    """Have nobody linger in code and memory that are gone when the interpreter has ended."""
    shared = _shared
    shared[_ENDED] = 1
    until = time.monotonic() + _LONGEST_END
    while shared[_LINGERING] and time.monotonic() < until:
        time.sleep(0)


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
