"""The accessor ``convtool`` of xarray's arrays: ``import convtool.xarray`` adds it.

xarray comes with ``pip install 'convtool[xarray]'``.

Examples
--------
>>> import numpy as np
>>> import xarray as xr
>>> import convtool.xarray
>>> image = xr.DataArray(np.eye(4), dims=("y", "x"), coords={"x": [10, 20, 30, 40]}, name="depth")
>>> filtered = image.convtool.convolve("box", mode="valid")
>>> filtered.name, filtered.sizes["y"], filtered.x.values.tolist()
('depth', 2, [20, 30])
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from convtool.convolution.api import convolve, correlate
from convtool.convolution.dimensions import weights_of
from convtool.convolution.geometry import numbers
from convtool.convolution.prepared import Options
from convtool.convolution.types import Array, Border, Engine, Mode
from convtool.errors import OptionError
from convtool.extras import load
from convtool.kernels.smoothing import sampled_gaussian

if TYPE_CHECKING:
    import xarray
else:
    xarray = load("xarray", "xarray")

Dims = Hashable | Sequence[Hashable]
"""The name of a dimension, or several."""

PLANE = ("y", "x")
"""The dimensions that a kernel lies on by default."""


class ConvolutionOptions(TypedDict, total=False):
    """The options of :func:`convtool.convolve` that have a meaning for named dimensions."""

    mode: Mode
    border: Border | Sequence[Border] | None
    cval: complex
    padding: int | Sequence[int] | None
    stride: int | Sequence[int]
    origin: int | Sequence[int]
    delta: complex
    engine: Engine
    dtype: DTypeLike | None
    threads: int | None


@xarray.register_dataarray_accessor("convtool")  # type: ignore[no-untyped-call]
class ConvtoolAccessor:
    """Convolutions along named dimensions: ``array.convtool``.

    Coordinates, attributes and the name are kept. An array in Dask's blocks is filtered lazily,
    whatever its chunks: each block takes what the kernel reaches from its neighbours.
    """

    def __init__(self, array: "xarray.DataArray") -> None:
        self._array = array

    def convolve(
        self, kernel: ArrayLike | str, dim: Dims = PLANE, **options: Unpack[ConvolutionOptions]
    ) -> "xarray.DataArray":
        """Convolve along some dimensions (the kernel is flipped).

        Parameters
        ----------
        kernel : array_like, shape (K,), (KH, KW) or (KD, KH, KW), or str
            As for :func:`convtool.convolve`.
        dim : str or sequence of str
            The dimensions that the kernel's axes lie on, in their order; each slice along the
            others is filtered on its own.
        **options
            ``mode``, ``border``, ``cval``, ``padding``, ``stride``, ``origin``, ``delta``,
            ``engine``, ``dtype``, ``threads``: as for :func:`convtool.convolve`.

        Returns
        -------
        DataArray
            Where an answer has fewer pixels (mode ``valid``, strides), the coordinates are those of
            the pixels that the kernel's centre lies on. Coordinates of a dimension that grows (mode
            ``full``, much padding) are left out.

        Raises
        ------
        OptionError
            If a dimension is not one of the array's, or as :func:`convtool.convolve` does.
        KernelError, ShapeError, PixelTypeError, EngineError
            As :func:`convtool.convolve` does.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> frames = xr.DataArray(np.ones((5, 8, 9)), dims=("time", "y", "x"))
        >>> frames.convtool.convolve([1, 0, -1], dim="time", mode="valid").sizes["time"]
        3
        """
        return self._filtered(convolve, kernel, dim, options)

    def correlate(
        self, kernel: ArrayLike | str, dim: Dims = PLANE, **options: Unpack[ConvolutionOptions]
    ) -> "xarray.DataArray":
        """Correlate along some dimensions (the kernel is not flipped).

        Parameters, returns and errors are those of :meth:`convolve`.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> signal = xr.DataArray(np.arange(4.0), dims="t")
        >>> signal.convtool.correlate([-1, 0, 1], dim="t", border="nearest").values
        array([1., 2., 2., 1.])
        """
        return self._filtered(correlate, kernel, dim, options)

    def gaussian(
        self,
        sigma: float | Sequence[float],
        dim: Dims = PLANE,
        *,
        truncate: float = 4.0,
        **options: Unpack[ConvolutionOptions],
    ) -> "xarray.DataArray":
        """Filter by a Gaussian along one, two or three dimensions.

        Parameters
        ----------
        sigma : float or sequence of float
            The standard deviation in pixels, or one for each of the dimensions.
        dim, **options
            As for :meth:`convolve`.
        truncate : float
            The kernel reaches so many standard deviations, rounded to whole pixels.

        Returns
        -------
        DataArray
            As :meth:`convolve` does.

        Raises
        ------
        OptionError
            If ``sigma`` is not positive, or there are not as many as dimensions; or as
            :meth:`convolve` does.

        Examples
        --------
        >>> import numpy as np
        >>> import xarray as xr
        >>> frame = xr.DataArray(np.eye(3), dims=("y", "x"))
        >>> float(frame.convtool.gaussian(0.5).sel(x=1, y=1).round(3))
        0.641
        """
        names = _names(dim)
        sigmas = [sigma] * len(names) if isinstance(sigma, int | float) else list(sigma)
        if len(sigmas) != len(names):
            raise OptionError(f"sigma has {len(sigmas)} numbers for {len(names)} dimensions")
        if not all(each > 0 for each in sigmas):
            raise OptionError(f"sigma must be positive, not {sigma!r}")
        taps = [sampled_gaussian(2 * int(truncate * each + 0.5) + 1, each) for each in sigmas]
        return self._filtered(convolve, reduce(np.multiply.outer, taps), names, options)

    def _filtered(
        self,
        function: Callable[..., Any],
        kernel: ArrayLike | str,
        dim: Dims,
        options: Mapping[str, Any],
    ) -> "xarray.DataArray":
        array, names = self._array, _names(dim)
        for name in names:
            if name not in array.dims:
                valid = ", ".join(map(str, array.dims))
                raise OptionError(f"dim {name!r} is no dimension of the array; it has {valid}")
        for given in options.keys() - ConvolutionOptions.__annotations__.keys():
            valid = ", ".join(ConvolutionOptions.__annotations__)
            raise OptionError(
                f"a convolution along named dimensions has no option {given!r}; it takes {valid}"
            )
        axes = tuple(map(array.dims.index, names))
        weights = weights_of(kernel, array.ndim, Options(function is convolve, axes=axes))
        answer = function(array.data, weights, axes=axes, **options)
        named = Options(function is convolve, **options)
        template = array
        for number, name in enumerate(names):
            template = _cut(template, name, answer.shape[axes[number]], named, weights, number)
        return xarray.DataArray(
            answer, coords=template.coords, dims=array.dims, name=array.name, attrs=array.attrs
        )


def _names(dim: Dims) -> tuple[Hashable, ...]:
    return tuple(dim) if isinstance(dim, list | tuple) else (dim,)


def _cut(
    array: "xarray.DataArray",
    name: Hashable,
    count: int,
    options: Options,
    weights: Array,
    number: int,
) -> "xarray.DataArray":
    """Return an array with the coordinates of an answer along one dimension.

    Parameters
    ----------
    array : DataArray
        Its values do not matter.
    name : hashable
        The dimension.
    count : int
        The size of the answer along it.
    options, weights
        Those of the convolution.
    number : int
        The axis of the kernel that lies on it.
    """
    dims, taps = weights.ndim, weights.shape[number]
    stride = numbers(options.stride, "stride", dims, 1)[number]
    anchor = (taps - 1) // 2 if options.flipped else taps // 2
    if options.padding is not None:
        first = anchor - numbers(options.padding, "padding", dims, 0)[number]
    else:
        first = {"same": 0, "valid": anchor, "full": anchor + 1 - taps}[options.mode]
    last = first + (count - 1) * stride
    if first < 0 or last >= array.sizes[name]:
        lost = [key for key, values in array.coords.items() if name in values.dims]
        return array.drop_vars(lost).isel({name: slice(0, 0)})
    return array.isel({name: slice(first, last + 1, stride)})
