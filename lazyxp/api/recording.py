"""Recording a call: operands become nodes, the op's rule infers shape and dtype, a new handle is returned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazyxp import dtypes, options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.api.array import current as current
from lazyxp.errors import MaterializationError
from lazyxp.node import CONSTANT, Meta, Node, Op, Site, describe, make, output, user_site

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike, DType, Scalar

SCALARS = (bool, int, float, complex)


def record(op: Op, *arrays: Array, **params: Any) -> Array:
    """Record `op` on `arrays`."""
    return Array(make(op, *[current(x) for x in arrays], site=user_site(), **params))


def record_many(op: Op, *arrays: Array, **params: Any) -> tuple[Array, ...]:
    """Record `op`, which has several outputs, on `arrays`."""
    node = make(op, *[current(x) for x in arrays], site=user_site(), **params)
    return tuple(Array(output(node, i)) for i in range(len(node.dtype)))


def record_view(op: Op, x: Array, **params: Any) -> Array:
    """Record `op` on `x`; the result aliases `x` as NumPy's would."""
    site = user_site()
    view = Array(make(op, current(x), site=site, **params))
    views.attach(x, view, op, params, site)
    return view


def copy_of(x: Array) -> Array:
    """A handle on what `x` holds now, which no later write to `x` changes."""
    return Array(current(x))


def constant(value: Scalar, dtype: DType, function: str, site: Site = None) -> Node:
    """A 0-d node of `dtype` that holds a Python scalar."""
    return Node(CONSTANT, (), {"value": dtypes.check_scalar(value, dtype, function)}, (), dtype, site)


def as_array(x: ArrayLike, function: str, dtype: DType | None = None) -> Array:
    """`x` as an Array: itself, a Python scalar of `dtype`, or (unless strict) whatever `asarray` takes."""
    if type(x) is Array:
        return x
    if isinstance(x, SCALARS) and type(x) in SCALARS and (dtype is not None or not options.current().strict):
        return Array(constant(x, dtype or dtypes.default_of(type(x)), function, user_site()))
    if options.current().strict:
        raise TypeError(f"{function}: expected a lazyxp array, got {type(x).__name__} (strict=True is set)")
    from lazyxp.api.conversion import asarray

    return asarray(x)


def operand(x: ArrayLike, category: str, function: str) -> Array:
    """`x` as an Array whose dtype is in `category`.

    What the standard leaves undefined is refused under ``strict=True``, and always where it means nothing (complex
    numbers where order is needed are left to NumPy's rules; only kinds that no backend takes are refused).
    """
    array = as_array(x, function)
    dtype = array._node.dtype
    if not dtypes.in_category(dtype, category) and (options.current().strict or _meaningless(dtype, category)):
        raise TypeError(
            f"{function}: expected {category} data, got {describe(current(array))}; cast it with astype first"
        )
    return array


def _meaningless(dtype: DType, category: str) -> bool:
    """Whether NumPy, too, has no answer for `dtype` where the standard asks for `category`."""
    if category in ("integer", "integer or boolean"):
        return dtype.kind in "fc"
    return dtype.kind == "c" and category in ("real floating-point", "boolean")


def cast(x: Array, dtype: DType) -> Array:
    """`x` as `dtype`: itself where it has it already."""
    if x._node.dtype == dtype:
        return x
    from lazyxp.api.data_types import ASTYPE

    return record(ASTYPE, x, dtype=dtype)


def common(function: str, *arrays: Array) -> tuple[Array, ...]:
    """`arrays` cast to the dtype that they promote to."""
    dtype = dtypes.promote(*[x._node.dtype for x in arrays], function=function)
    return tuple(cast(x, dtype) for x in arrays)


def at_least(x: Array, ndim: int, function: str) -> Array:
    """`x`, refused with a ValueError when it has fewer than `ndim` dimensions."""
    if len(x._node.shape) < ndim:
        raise ValueError(f"{function}: expected at least {ndim} dimensions, got {describe(current(x))}")
    return x


def square(x: Array, function: str) -> Array:
    """`x`, refused with a ValueError when it is not a stack of square matrices."""
    at_least(x, 2, function)
    rows, columns = x._node.shape[-2:]
    if rows is not None and columns is not None and rows != columns:
        raise ValueError(f"{function}: expected square matrices, got {describe(current(x))}")
    return x


def known_shape(x: Array, function: str) -> tuple[int, ...]:
    """The shape of `x`, data-dependent sides computed: for functions that cannot be recorded without it."""
    shape = x.shape
    if None in shape:
        raise MaterializationError(
            f'{function}: needs the data-dependent shape of {describe(current(x))}, but materialize="raise" is set; '
            "call persist() on it first"
        )
    return shape  # type: ignore[return-value]


def same(x: Meta, **params: Any) -> Meta:
    """The rule of ops whose result has the shape and dtype of their first operand."""
    return Meta(x.shape, x.dtype)


def check_tuple(value: Any, what: str) -> None:
    """Refuse `value` under ``strict=True`` unless it is a tuple."""
    if options.current().strict and not isinstance(value, tuple):
        raise TypeError(f"{what} must be a tuple of ints, not {value!r} (strict=True is set)")
