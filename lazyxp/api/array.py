"""The user's handle: an array that knows its shape, dtype and how it would be computed, but not its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp import options
from lazyxp.api import views
from lazyxp.api.methods import NumPyMethods
from lazyxp.errors import MaterializationError
from lazyxp.node import CONSTANT, Node, Shape, describe, graph_lock, user_site
from lazyxp.shapes import size_of, unify_shapes
from lazyxp.sources import is_shared, share

if TYPE_CHECKING:
    from lazyxp.api.views import Cell, View
    from lazyxp.estimate import Estimate
    from lazyxp.looking.drawing import Picture
    from lazyxp.looking.explain import Explanation
    from lazyxp.typing import ArrayLike, Device, DType

_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")


class Array(NumPyMethods):
    """A lazy array: calls on it are recorded, `compute` runs them.

    Arrays are made by `asarray`, `zeros`, `arange`, ... and by calls on other arrays, not by this class. They behave
    as NumPy's: operators broadcast and promote, indexing gives views that alias, ``x[key] = value`` writes. Asking for
    a value (``float(x)``, ``bool(x)``, ``np.asarray(x)``, an unknown ``x.shape``, ...) computes it once, as the option
    `materialize` says. Functions of the standard that NumPy's arrays have as methods (``x.sum(axis=0)``,
    ``x.reshape(2, -1)``) are methods here, too, unless ``strict=True`` is set.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.arange(4.0)
    >>> (x * x + 1).compute()
    array([ 1.,  2.,  5., 10.])
    """

    __slots__ = ("__weakref__", "_cell", "_node", "_version", "_view")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 1000.0

    _node: Node
    _cell: Cell | None
    _view: View | None
    _version: int

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cell = None

    # --- attributes --------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> DType:
        """The data type, a NumPy dtype."""
        return self._node.dtype  # type: ignore[no-any-return]

    @property
    def shape(self) -> Shape:
        """The lengths of the axes. A data-dependent length is computed, or None if ``materialize="raise"``."""
        shape: Shape = self._node.shape
        return _known_shape(self) if None in shape else shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._node.shape)

    @property
    def size(self) -> int | None:
        """The number of elements; None where the shape is unknown and ``materialize="raise"``."""
        return size_of(self.shape)

    @property
    def device(self) -> Device:
        """Where the data is: "cpu", or the CUDA device of a CuPy array that the graph reads."""
        from lazyxp.api.info import device_of

        return device_of(current(self))

    @property
    def T(self) -> Array:  # noqa: N802 - the standard's name
        """The transpose of a two-dimensional array, a view (any number of dimensions unless strict)."""
        return manipulation.transpose(self)

    @property
    def mT(self) -> Array:  # noqa: N802 - the standard's name
        """The transpose of each matrix in a stack, a view."""
        return manipulation.matrix_transpose(self)

    # --- computing and looking ---------------------------------------------------------------------------------------

    def compute(self, backend: Any = None, *, optimize: str | None = None, **executor_options: Any) -> Any:
        """Compute this array.

        Parameters
        ----------
        backend : str, module or None
            "numpy", "dask", "sparse", "cupy", any importable Array API namespace by name or as a module. None follows
            the data (CuPy inputs run on CuPy, ...) unless the option `backend` says otherwise.
        optimize : {"none", "exact", "default", "fast"}, optional
            How far the optimizer may go; the option `optimize` if not given.
        **executor_options
            What the backend takes, such as ``scheduler=`` on Dask.

        Returns
        -------
        array
            The backend's native array: a NumPy array for "numpy" and "dask". It is the caller's to change.

        Raises
        ------
        UnknownBackend, BackendUnavailable
            When there is no such backend, or it cannot run here.
        UnsupportedOperation
            When the backend cannot run one of the ops.

        Examples
        --------
        >>> import lazyxp as xp
        >>> xp.sum(xp.asarray([1, 2, 3])).compute()
        array(6)
        """
        from lazyxp.evaluate import compute

        return compute(self, backend=backend, optimize=optimize, **executor_options)[0]

    def persist(self, backend: Any = None, *, optimize: str | None = None, **executor_options: Any) -> Array:
        """Compute this array, and return an Array that holds the result (on Dask: on the cluster).

        Parameters and errors are those of `compute`.

        Returns
        -------
        Array
            An array whose value is known: later graphs start from it.

        Examples
        --------
        >>> import lazyxp as xp
        >>> x = (xp.arange(3) + 1).persist()
        >>> (x * 2).compute()
        array([2, 4, 6])
        """
        from lazyxp.evaluate import persist

        return persist(self, backend=backend, optimize=optimize, **executor_options)[0]

    def explain(self, backend: Any = None, optimize: str | None = None) -> Explanation:
        """What computing this array will do, why, and what it will cost; nothing runs.

        Parameters
        ----------
        backend : str, module or None
            See `compute`.
        optimize : {"none", "exact", "default", "fast"}, optional
            How far the optimizer may go; the option `optimize` if not given.

        Returns
        -------
        Explanation
            Its ``str()`` is the text: the graph as recorded, every rewrite with its level and the user's line, the
            steps that run with their operations, bytes and peak memory, and the totals before and after. Its attributes
            `before`, `after`, `rewrites`, `steps`, `cache` hold the same as data, and `source` gives the source of
            fused kernels: a listing, LLVM IR, or assembly.

        Notes
        -----
        Costs are those of NumPy, whatever the backend.

        Examples
        --------
        >>> import lazyxp as xp
        >>> a = xp.ones((100, 100))
        >>> explanation = ((a @ a)[0]).explain()
        >>> explanation.after.flops < explanation.before.flops
        True
        """
        from lazyxp.evaluate import prepare
        from lazyxp.looking.explain import explain

        return explain(prepare([current(self)], backend, optimize))

    def estimate(self, backend: Any = None, optimize: str | None = None) -> Estimate:
        """What computing this array will cost; nothing runs.

        Parameters are those of `explain`.

        Returns
        -------
        Estimate
            A named tuple: `flops`, `bytes_read`, `bytes_written`, `peak_bytes`, `kernels`, `calls`. Where lengths
            depend on data, its attribute `lower_bound` is True.

        Examples
        --------
        >>> import lazyxp as xp
        >>> a = xp.ones((100, 100))
        >>> (a @ a).estimate().flops
        2000000
        """
        from lazyxp.estimate import estimate_of
        from lazyxp.evaluate import prepare

        return estimate_of(prepare([current(self)], backend, optimize).planned.plan)

    def visualize(self, filename: str | PathLike[str] | None = None, *, stage: str = "optimized") -> str | Picture:
        """Draw the graph of this array; see `lazyxp.visualize`."""
        from lazyxp.looking import visualize

        return visualize(self, filename=filename, stage=stage)

    def __repr__(self) -> str:
        node = current(self)
        known = np.asarray(node.params["value"], node.dtype) if node.op is CONSTANT else node.value
        if isinstance(known, np.ndarray):
            text = np.array2string(known, separator=", ", prefix="Array(", threshold=200)
            return f"Array({text}, dtype={node.dtype})"
        return f"Array<{node.op.name}: {describe(node)}>"

    def __format__(self, spec: str) -> str:
        """Format a 0-d array as its value, which computes it; others as `repr` does."""
        if spec and not self._node.shape:
            return format(_scalar(self, "__format__", "biufc"), spec)
        return format(repr(self), spec)

    # --- the standard's other methods --------------------------------------------------------------------------------

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """The namespace of this array's functions: lazyxp itself."""
        if api_version is not None and api_version not in _API_VERSIONS:
            raise ValueError(f"lazyxp offers the standard's versions {', '.join(_API_VERSIONS)}, not {api_version!r}")
        import lazyxp

        return lazyxp

    def to_device(self, device: Device, /, *, stream: int | Any | None = None) -> Array:
        """This array on `device`; only the device that it is on already can be asked for."""
        from lazyxp.api.info import check_device

        if stream is not None:
            raise ValueError("to_device: streams belong to the backend that computes; stream must be None")
        if device != self.device:
            check_device(device, "to_device")
        return self

    def __dlpack__(
        self,
        /,
        *,
        stream: int | Any | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Compute this array and export it through DLPack, as a copy unless ``copy=False`` is given.

        With it the graph's own memory is exported, and if that is changed the next run raises `SourceMutated`.
        """
        value = _demand(self, "__dlpack__")
        if not hasattr(value, "__dlpack__"):
            if copy is False:
                raise BufferError(f"__dlpack__: {type(value).__name__} data cannot be exported without a copy")
            value = _to_numpy(self)
        if isinstance(value, np.ndarray):
            if copy is False:
                share(current(self))
            else:
                value, copy = value.copy(), None
        return value.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self, /) -> tuple[Any, int]:
        """The DLPack device type and number of the data."""
        kind, _, number = self.device.partition(":")
        if kind not in ("cpu", "cuda"):
            raise BufferError(f"__dlpack_device__: arrays on {self.device!r} are not exported")
        return (1, 0) if kind == "cpu" else (2, int(number))

    def __bool__(self, /) -> bool:
        """Compute a 0-d array and return its truth value."""
        return bool(_scalar(self, "__bool__", "biufc"))

    def __int__(self, /) -> int:
        """Compute a 0-d real array and return it as an int."""
        return int(_scalar(self, "__int__", "biuf"))

    def __float__(self, /) -> float:
        """Compute a 0-d real array and return it as a float."""
        return float(_scalar(self, "__float__", "biuf"))

    def __complex__(self, /) -> complex:
        """Compute a 0-d array and return it as a complex."""
        return complex(_scalar(self, "__complex__", "biufc"))

    def __index__(self, /) -> int:
        """Compute a 0-d integer array and return it as an int."""
        return int(_scalar(self, "__index__", "iu"))

    def __len__(self) -> int:
        """The length of the first axis."""
        if not self._node.shape:
            raise TypeError("len() of a 0-d array")
        length = self.shape[0]
        if length is None:
            raise MaterializationError("len() of an array whose first axis is data-dependent; see set_options")
        return length

    def __iter__(self) -> Iterator[Array]:
        """Iterate over the first axis."""
        if not self._node.shape:
            raise TypeError("iteration over a 0-d array")
        if options.current().strict and self.ndim > 1:
            raise TypeError("iteration over an array of more than one dimension; use unstack (strict=True is set)")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        """Whether any element equals `value`; computes."""
        return bool(utility.any(self == value))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Compute this array as a NumPy array, which has memory of its own if a copy is asked for.

        Otherwise what is written to it is written to this array as well, until this array is written to by itself. With
        ``copy=False`` it is read-only.
        """
        if dtype is not None and self.dtype != dtype:
            if copy is False:
                raise ValueError(f"cannot convert {self.dtype} to {np.dtype(dtype)} without a copy")
            return _to_numpy(self).astype(dtype)
        if copy:
            return _to_numpy(self).copy()
        if copy is False:
            shared = _to_numpy(self).view()
            shared.flags.writeable = False
            return shared
        from lazyxp.api.exports import exported

        return exported(self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Record a ufunc of NumPy that the standard has as well; NumPy computes the others."""
        from lazyxp.api.numpy_functions import ufunc_called

        return ufunc_called(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a function of NumPy that the standard has as well; NumPy computes the others."""
        from lazyxp.api.numpy_functions import function_called

        if not all(issubclass(t, (Array, np.ndarray)) for t in types):
            return NotImplemented
        return function_called(func, args, kwargs)

    def __copy__(self) -> Array:
        return Array(current(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return Array(current(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Array, (current(self),)

    # --- indexing ----------------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any, /) -> Array:
        """Select elements: a view for basic keys, a copy for mask and integer-array keys."""
        return indexing.getitem(self, key)

    def __setitem__(self, key: Any, value: ArrayLike, /) -> None:
        """Write `value`, cast to this array's dtype, to the elements that `key` selects."""
        with graph_lock:
            views.check_writeable(self)
            views.write(self, indexing.assigned(self, key, value), user_site())

    # --- operators ---------------------------------------------------------------------------------------------------

    def __abs__(self, /) -> Array:
        """``abs(x)``."""
        return elementwise.abs(self)

    def __neg__(self, /) -> Array:
        """``-x``."""
        return elementwise.negative(self)

    def __pos__(self, /) -> Array:
        """``+x``."""
        return elementwise.positive(self)

    def __invert__(self, /) -> Array:
        """``~x``."""
        return elementwise.bitwise_invert(self)

    def __add__(self, other: ArrayLike, /) -> Array:
        """``x + y``."""
        return elementwise.add(self, other) if _takes(other) else NotImplemented

    def __radd__(self, other: ArrayLike, /) -> Array:
        """``y + x``."""
        return elementwise.add(other, self) if _takes(other) else NotImplemented

    def __iadd__(self, other: ArrayLike, /) -> Array:
        """``x += y``, written where x is."""
        return _in_place(self, elementwise.add, other) if _takes(other) else NotImplemented

    def __sub__(self, other: ArrayLike, /) -> Array:
        """``x - y``."""
        return elementwise.subtract(self, other) if _takes(other) else NotImplemented

    def __rsub__(self, other: ArrayLike, /) -> Array:
        """``y - x``."""
        return elementwise.subtract(other, self) if _takes(other) else NotImplemented

    def __isub__(self, other: ArrayLike, /) -> Array:
        """``x -= y``, written where x is."""
        return _in_place(self, elementwise.subtract, other) if _takes(other) else NotImplemented

    def __mul__(self, other: ArrayLike, /) -> Array:
        """``x * y``."""
        return elementwise.multiply(self, other) if _takes(other) else NotImplemented

    def __rmul__(self, other: ArrayLike, /) -> Array:
        """``y * x``."""
        return elementwise.multiply(other, self) if _takes(other) else NotImplemented

    def __imul__(self, other: ArrayLike, /) -> Array:
        """``x *= y``, written where x is."""
        return _in_place(self, elementwise.multiply, other) if _takes(other) else NotImplemented

    def __truediv__(self, other: ArrayLike, /) -> Array:
        """``x / y``."""
        return elementwise.divide(self, other) if _takes(other) else NotImplemented

    def __rtruediv__(self, other: ArrayLike, /) -> Array:
        """``y / x``."""
        return elementwise.divide(other, self) if _takes(other) else NotImplemented

    def __itruediv__(self, other: ArrayLike, /) -> Array:
        """``x /= y``, written where x is."""
        return _in_place(self, elementwise.divide, other) if _takes(other) else NotImplemented

    def __floordiv__(self, other: ArrayLike, /) -> Array:
        """``x // y``."""
        return elementwise.floor_divide(self, other) if _takes(other) else NotImplemented

    def __rfloordiv__(self, other: ArrayLike, /) -> Array:
        """``y // x``."""
        return elementwise.floor_divide(other, self) if _takes(other) else NotImplemented

    def __ifloordiv__(self, other: ArrayLike, /) -> Array:
        """``x //= y``, written where x is."""
        return _in_place(self, elementwise.floor_divide, other) if _takes(other) else NotImplemented

    def __mod__(self, other: ArrayLike, /) -> Array:
        """``x % y``."""
        return elementwise.remainder(self, other) if _takes(other) else NotImplemented

    def __rmod__(self, other: ArrayLike, /) -> Array:
        """``y % x``."""
        return elementwise.remainder(other, self) if _takes(other) else NotImplemented

    def __imod__(self, other: ArrayLike, /) -> Array:
        """``x %= y``, written where x is."""
        return _in_place(self, elementwise.remainder, other) if _takes(other) else NotImplemented

    def __pow__(self, other: ArrayLike, /) -> Array:
        """``x ** y``."""
        return elementwise.pow(self, other) if _takes(other) else NotImplemented

    def __rpow__(self, other: ArrayLike, /) -> Array:
        """``y ** x``."""
        return elementwise.pow(other, self) if _takes(other) else NotImplemented

    def __ipow__(self, other: ArrayLike, /) -> Array:
        """``x **= y``, written where x is."""
        return _in_place(self, elementwise.pow, other) if _takes(other) else NotImplemented

    def __matmul__(self, other: ArrayLike, /) -> Array:
        """``x @ y``."""
        return linear_algebra.matmul(self, other) if _takes(other) else NotImplemented

    def __rmatmul__(self, other: ArrayLike, /) -> Array:
        """``y @ x``."""
        return linear_algebra.matmul(other, self) if _takes(other) else NotImplemented

    def __imatmul__(self, other: ArrayLike, /) -> Array:
        """``x @= y``, written where x is."""
        return _in_place(self, linear_algebra.matmul, other) if _takes(other) else NotImplemented

    def __and__(self, other: ArrayLike, /) -> Array:
        """``x & y``."""
        return elementwise.bitwise_and(self, other) if _takes(other) else NotImplemented

    def __rand__(self, other: ArrayLike, /) -> Array:
        """``y & x``."""
        return elementwise.bitwise_and(other, self) if _takes(other) else NotImplemented

    def __iand__(self, other: ArrayLike, /) -> Array:
        """``x &= y``, written where x is."""
        return _in_place(self, elementwise.bitwise_and, other) if _takes(other) else NotImplemented

    def __or__(self, other: ArrayLike, /) -> Array:
        """``x | y``."""
        return elementwise.bitwise_or(self, other) if _takes(other) else NotImplemented

    def __ror__(self, other: ArrayLike, /) -> Array:
        """``y | x``."""
        return elementwise.bitwise_or(other, self) if _takes(other) else NotImplemented

    def __ior__(self, other: ArrayLike, /) -> Array:
        """``x |= y``, written where x is."""
        return _in_place(self, elementwise.bitwise_or, other) if _takes(other) else NotImplemented

    def __xor__(self, other: ArrayLike, /) -> Array:
        """``x ^ y``."""
        return elementwise.bitwise_xor(self, other) if _takes(other) else NotImplemented

    def __rxor__(self, other: ArrayLike, /) -> Array:
        """``y ^ x``."""
        return elementwise.bitwise_xor(other, self) if _takes(other) else NotImplemented

    def __ixor__(self, other: ArrayLike, /) -> Array:
        """``x ^= y``, written where x is."""
        return _in_place(self, elementwise.bitwise_xor, other) if _takes(other) else NotImplemented

    def __lshift__(self, other: ArrayLike, /) -> Array:
        """``x << y``."""
        return elementwise.bitwise_left_shift(self, other) if _takes(other) else NotImplemented

    def __rlshift__(self, other: ArrayLike, /) -> Array:
        """``y << x``."""
        return elementwise.bitwise_left_shift(other, self) if _takes(other) else NotImplemented

    def __ilshift__(self, other: ArrayLike, /) -> Array:
        """``x <<= y``, written where x is."""
        return _in_place(self, elementwise.bitwise_left_shift, other) if _takes(other) else NotImplemented

    def __rshift__(self, other: ArrayLike, /) -> Array:
        """``x >> y``."""
        return elementwise.bitwise_right_shift(self, other) if _takes(other) else NotImplemented

    def __rrshift__(self, other: ArrayLike, /) -> Array:
        """``y >> x``."""
        return elementwise.bitwise_right_shift(other, self) if _takes(other) else NotImplemented

    def __irshift__(self, other: ArrayLike, /) -> Array:
        """``x >>= y``, written where x is."""
        return _in_place(self, elementwise.bitwise_right_shift, other) if _takes(other) else NotImplemented

    def __divmod__(self, other: ArrayLike, /) -> tuple[Array, Array]:
        """``divmod(x, y)``."""
        return (elementwise.floor_divide(self, other), elementwise.remainder(self, other))

    def __rdivmod__(self, other: ArrayLike, /) -> tuple[Array, Array]:
        """``divmod(y, x)``."""
        return (elementwise.floor_divide(other, self), elementwise.remainder(other, self))

    def __eq__(self, other: ArrayLike, /) -> Array:  # type: ignore[override]
        """``x == y``."""
        return elementwise.equal(self, other) if _takes(other) else NotImplemented

    def __ne__(self, other: ArrayLike, /) -> Array:  # type: ignore[override]
        """``x != y``."""
        return elementwise.not_equal(self, other) if _takes(other) else NotImplemented

    def __lt__(self, other: ArrayLike, /) -> Array:
        """``x < y``."""
        return elementwise.less(self, other) if _takes(other) else NotImplemented

    def __le__(self, other: ArrayLike, /) -> Array:
        """``x <= y``."""
        return elementwise.less_equal(self, other) if _takes(other) else NotImplemented

    def __gt__(self, other: ArrayLike, /) -> Array:
        """``x > y``."""
        return elementwise.greater(self, other) if _takes(other) else NotImplemented

    def __ge__(self, other: ArrayLike, /) -> Array:
        """``x >= y``."""
        return elementwise.greater_equal(self, other) if _takes(other) else NotImplemented


def current(x: Array) -> Node:
    """The node that `x` stands for now."""
    return x._node if x._cell is None else views.current(x)


_PLAIN = frozenset((Array, int, float, complex, bool))
_TAKEN = (int, float, complex, np.ndarray, np.generic, list, tuple)


def _takes(other: Any) -> bool:
    """Whether an operator may take `other`; if not, Python asks `other`'s own type."""
    if type(other) in _PLAIN:
        return True
    if options.current().strict:
        return False
    return isinstance(other, _TAKEN) or hasattr(type(other), "__array_namespace__") or hasattr(other, "__dlpack__")


def _in_place(x: Array, function: Callable[[Any, Any], Array], other: Any) -> Array:
    """``x op= other``: the result, cast to `x`'s dtype, is written where `x` is."""
    name = f"in-place {function.__name__}"
    with graph_lock:
        views.check_writeable(x)
        node, target = current(function(x, other)), current(x)
        try:
            unify_shapes(name, node.shape, target.shape)
        except ValueError:
            raise ValueError(
                f"{name}: shape mismatch: the result {describe(node)} does not fit into {describe(target)}"
            ) from None
        if node.dtype != target.dtype:
            if options.current().strict or not np.can_cast(node.dtype, target.dtype, "same_kind"):
                raise TypeError(f"{name}: cannot cast the result {describe(node)} to {target.dtype} in place")
            node = current(data_types.astype(Array(node), target.dtype))
        if node.shape != target.shape:  # known to fit only when the graph runs
            node = indexing.put(target, (slice(None),) * x.ndim, node, user_site())
        views.write(x, node, user_site())
    return x


def _demand(x: Array, what: str) -> Any:
    from lazyxp.evaluate import demand

    return demand(current(x), what)


def _to_numpy(x: Array) -> np.ndarray[Any, Any]:
    from lazyxp.evaluate import demand_numpy

    return demand_numpy(current(x), "__array__")


def _scalar(x: Array, method: str, kinds: str) -> Any:
    """The value of 0-d `x` as a Python scalar."""
    node = current(x)
    if node.shape or node.dtype.kind not in kinds:
        raise TypeError(f"{method}: expected a 0-d array of a fitting data type, got {describe(node)}")
    value = node.value
    if type(value) is np.ndarray and not is_shared(node):
        return value.item()
    if node.op is CONSTANT:
        return np.asarray(node.params["value"], node.dtype).item()
    from lazyxp.evaluate import demand_numpy

    return demand_numpy(node, method).item()


def _known_shape(x: Array) -> Shape:
    if options.current().materialize != "raise":
        _demand(x, "shape")
    return current(x).shape  # type: ignore[no-any-return]


from lazyxp.api import data_types, elementwise, indexing, linear_algebra, manipulation, utility  # noqa: E402 - they need Array
