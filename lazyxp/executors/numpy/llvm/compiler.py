"""From LLVM IR to functions that can be called: compiled once for this processor, and kept on disk."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lazyxp import disk_cache
from lazyxp.executors.numpy.llvm import complex_functions, functions
from lazyxp.node import graph_lock

# kernel(arguments, first piece, last piece, scratch)
Function = Callable[[int, int, int, int], None]
_PROTOTYPE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)

# LLVM's objects may be used by one thread at a time.
_lock = threading.Lock()
_numbers = itertools.count()
# Kernels whose code stays in memory when no plan runs them any more.
MOST_HELD = 256
_held: dict[str, Compiled] = {}
# What is done to a module on its way, for the key of its code.
_PIPELINE = "sroa, O2"
# The files that print modules, as of now: later, somebody may have installed others under the process. None where there
# are no files, as in a frozen application; then nothing is kept on disk.
_PRINTER = [path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]


# What is in memory, by number: not held by its users, or the garbage collector gave it back in any thread at any time.
_libraries: dict[int, Any] = {}
# The numbers of those that nobody calls any more. They are given back under the lock, by the next who compiles.
_unused: list[int] = []


def _before_fork() -> None:
    """A fork waits for what other threads plan and compile: in the child it would be half done for ever."""
    graph_lock.acquire()  # first: what is planned may be compiled meanwhile
    _lock.acquire()


def _after_fork() -> None:
    _lock.release()
    graph_lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def function(address: int) -> Function:
    """What calls a function at an address, without the interpreter's lock."""
    return _PROTOTYPE(address)


class _Code:
    """Keeps a library in memory."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        _unused.append(self._number)


class Compiled(NamedTuple):
    """A compiled kernel: what to call, its address, those of what else its module exports, and what keeps the code."""

    call: Function
    address: int
    addresses: tuple[int, ...]
    owner: Any


class _Target(NamedTuple):
    machine: Any
    jit: Any
    passes: Any
    name: str
    vector_bytes: int
    vector_registers: int


@functools.cache
def is_installed() -> bool:
    """Whether the compiler is installed; to load it takes 50 MB, which only kernels are worth."""
    return importlib.util.find_spec("llvmlite") is not None


@functools.cache
def is_available() -> bool:
    """Whether kernels can be compiled here."""
    try:
        _target()
    except Exception:  # a missing or broken llvmlite is a reason to interpret kernels, whatever it raises
        return False
    return True


def vector_bytes() -> int:
    """How many bytes the processor's vectors have."""
    return _target().vector_bytes


def vector_registers() -> int:
    """How many vectors the processor holds at once."""
    return _target().vector_registers


def target_name() -> str:
    """The processor, the versions of all that compiles, and what is done to modules."""
    return _target().name


@functools.cache
def _target() -> _Target:
    import llvmlite
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    functions.load_libraries()
    complex_functions.load_library()
    features = functions.features()
    flags = features.flatten()
    wide = features.get("avx512f") and features.get("avx512vl")
    if wide:
        flags += ",-prefer-256-bit"
    cpu = binding.get_host_cpu_name()
    target = binding.Target.from_default_triple()

    def machine() -> Any:
        return target.create_target_machine(
            cpu=cpu, features=flags, opt=2, reloc="pic", codemodel="jitdefault", jit=True
        )

    own = machine()
    builder = binding.create_pass_builder(own, binding.create_pipeline_tuning_options(speed_level=2))
    passes = binding.create_new_function_pass_manager()
    passes.add_sroa_pass()
    versions = f"{disk_cache.key_of(*_PRINTER)} {llvmlite.__version__} {binding.llvm_version_info}"
    name = f"{_PIPELINE} {target.triple} {cpu} {flags} {versions}"
    size = 64 if wide else 32 if features.get("avx2") else 16
    registers = 16 if features.get("sse2") and not wide else 32
    return _Target(own, binding.create_lljit_compiler(machine()), (passes, builder), name, size, registers)


def _improved(text: str) -> Any:
    """A module after our passes."""
    from llvmlite import binding

    passes, builder = _target().passes
    module = binding.parse_assembly(text)
    for function in module.functions:
        if not function.is_declaration:
            passes.run(function, builder)
    return module


def assembly(text: str) -> str:
    """The assembly of a module, to look at."""
    with _lock:
        return str(_target().machine.emit_assembly(_improved(text)))


def compiled(text: Callable[[], str], *description: str, exported: tuple[str, ...] = ()) -> Compiled:
    """The functions of a module: those of the latest `MOST_HELD` are in memory, others perhaps on disk.

    `text` is asked for only if they are in neither; the same `description` is of the same text.
    """
    with _lock:
        while _unused:
            del _libraries[_unused.pop()]
        key = disk_cache.key_of(*description, target_name())
        found = _held.pop(key, None) or _linked(text, key, exported)
        _held[key] = found  # at the end: the latest
        if len(_held) > MOST_HELD:
            del _held[next(iter(_held))]
        return found


def _linked(text: Callable[[], str], key: str, exported: tuple[str, ...]) -> Compiled:
    from llvmlite import binding

    target = _target()
    code = disk_cache.load(key, disk_cache.KERNEL) if _PRINTER else None
    if code is None:
        code = bytes(target.machine.emit_object(_improved(text())))
        if _PRINTER:
            disk_cache.store(key, disk_cache.KERNEL, code)
    builder = binding.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in ("kernel", *exported):
        builder.export_symbol(name)
    number = next(_numbers)
    library = _libraries[number] = builder.link(target.jit, f"kernel{number}")
    addresses = tuple([int(library[name]) for name in exported])
    address = int(library["kernel"])
    return Compiled(function(address), address, addresses, _Code(number))
