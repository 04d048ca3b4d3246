"""Code that another process compiled: it is found without being printed, and nothing else is taken for it."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lazyxp as xp
from lazyxp import disk_cache
from lazyxp.executors.numpy.llvm import compiler, runtime
from lazyxp.executors.numpy.llvm.frame import scratch_at
from lazyxp.kernel import KERNEL
from lazyxp.planning import clear_cache
from tests.executors.kernel_checks import compiled, only_compiled, planned, shared
from tests.optimizers.random_graphs import REFUSALS, random_graph

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((700, 300))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty directory for code, and none in memory."""
    monkeypatch.setenv(disk_cache.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(compiler, "_held", {})
    clear_cache()
    return tmp_path / "cache"


@pytest.fixture
def printed(monkeypatch):
    """The kernels that are printed."""
    found = []
    plain_print = runtime.printed_kernel

    def counted(lowered):
        found.append(lowered)
        return plain_print(lowered)

    monkeypatch.setattr(runtime, "printed_kernel", counted)
    return found


def code_in(place):
    """The files of object code."""
    return sorted(place.glob(f"*{disk_cache.KERNEL}"))


def another_process():
    """Forget what this one has in memory."""
    compiler._held.clear()
    clear_cache()


def results(x):
    """Chains, partial results, indices, and rows with values that are kept for a while."""
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    picked = xp.take(x, xp.asarray([3, 0, -1, 5] * 40), axis=1)
    return xp.sqrt(xp.abs(x)) * 2, xp.sum(x * x), xp.std(x, axis=0), e / xp.sum(e, axis=-1, keepdims=True), picked * 2


def test_what_is_on_disk_is_not_printed(printed):
    first = [v.tobytes() for v in compiled(*results(shared(X)))]
    assert printed
    printed.clear()
    another_process()
    assert [v.tobytes() for v in compiled(*results(shared(X)))] == first
    assert not printed


def test_code_is_for_all_sizes(printed, place):
    compiled(xp.exp(shared(X)) * 2 - 1)
    printed.clear()
    another_process()
    larger = RNG.standard_normal((911, 444))
    (got,) = compiled(xp.exp(shared(larger)) * 2 - 1)
    np.testing.assert_allclose(got, np.exp(larger) * 2 - 1, rtol=1e-14, atol=1e-14)
    assert not printed
    assert len(code_in(place)) == 1


def test_the_direct_entry_is_found_again(printed):
    def f(x, y):
        return xp.sqrt(x * x + 1) - y

    x, y = RNG.standard_normal((2, 10))
    with only_compiled(), xp.set_options(kernels="auto"):
        first = xp.jit(f)(x, y)
        assert len(printed) == 1
        another_process()
        again = xp.jit(f)
        for _ in range(3):
            assert again(x, y).tobytes() == first.tobytes()
    assert len(printed) == 1


BAD = {
    "truncated": lambda data: data[:-7],
    "changed": lambda data: data[:600] + bytes([data[600] ^ 1]) + data[601:],
    "foreign": lambda data: b"\x7fELF" + data[4:],
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("how", BAD)
def test_what_is_broken_on_disk_is_compiled_again(printed, place, how):
    first = [v.tobytes() for v in compiled(*results(shared(X)))]
    files = {file: file.read_bytes() for file in code_in(place)}
    for file, data in files.items():
        file.write_bytes(BAD[how](data))
    kernels = len(printed)
    printed.clear()
    another_process()
    assert [v.tobytes() for v in compiled(*results(shared(X)))] == first
    assert len(printed) == kernels
    assert {file: file.read_bytes() for file in code_in(place)} == files


def test_files_that_were_swapped_are_not_taken(place):
    outputs = shared(X) * 2 + 1, xp.exp(-shared(X))
    first = [compiled(one)[0].tobytes() for one in outputs]
    one, other = code_in(place)
    one_code, other_code = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_code)
    other.write_bytes(one_code)
    another_process()
    assert [compiled(one)[0].tobytes() for one in outputs] == first


def test_code_of_another_processor_or_version_is_not_taken(printed, place, monkeypatch):
    """The name of the target says which processor, which LLVM, and which version of the printer."""
    compiled(shared(X) * 2 + 1)
    another_process()
    own = compiler._target()
    assert disk_cache.key_of(*compiler._PRINTER) in own.name
    monkeypatch.setattr(compiler, "_target", lambda: own._replace(name=own.name + "another"))
    compiled(shared(X) * 2 + 1)
    assert len(printed) == 2
    assert len(code_in(place)) == 2


def test_without_source_files_nothing_is_kept(printed, place, monkeypatch):
    """Nothing says then which version printed the code."""
    compiled(shared(X) * 2 + 1)
    monkeypatch.setattr(compiler, "_PRINTER", [])
    (file,) = code_in(place)
    before = file.read_bytes(), file.stat().st_mtime_ns
    another_process()
    compiled(shared(X) * 2 + 1)
    compiled(shared(X) * 3 - 1)
    assert len(printed) == 3
    assert [file] == code_in(place)
    assert before == (file.read_bytes(), file.stat().st_mtime_ns)


def test_a_description_says_all_that_is_printed(monkeypatch):
    """Kernels of random graphs in one layout and another: one text for each description."""
    texts: dict[str, str] = {}
    descriptions: dict[str, str] = {}

    def collected(text, *description, exported=()):
        whole = text()
        assert texts.setdefault(repr(description), whole) == whole
        descriptions.setdefault(whole, repr(description))
        return plain_compiled(lambda: whole, *description, exported=exported)

    plain_compiled = compiler.compiled
    monkeypatch.setattr(compiler, "compiled", collected)
    for seed in range(9_300, 9_420):
        with suppress(*REFUSALS), xp.set_options(kernels="always"):  # what NumPy refuses as well
            xp.compute(*random_graph(seed).record(0))
    assert len(texts) > 80
    assert len(texts) < 2 * len(descriptions)


def test_scratch_memory_is_told_by_the_code():
    """What a softmax keeps is the exponentials, and what a plain chain keeps is nothing."""
    for output, sizes in ((results(shared(X))[3], [8]), (results(shared(X))[0], [])):
        (node,) = [node for node in planned(output) if node.op is KERNEL]
        case = runtime.case_of(node.params["kernel"], [np.empty(arg.shape, arg.dtype) for arg in node.args])
        printed = runtime.printed_kernel(case.lowered)
        code = compiler.compiled(lambda text=printed.text: text, printed.text, exported=("scratch",))
        assert scratch_at(code.addresses[0]) == printed.scratch
        assert [size for _, size in printed.scratch] == sizes
