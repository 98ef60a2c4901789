"""A kernel from a text or a file, pictures included: they are read here, above the kernels."""

import numpy as np

from convtool.errors import ImageReadError, ImageTooLargeError, KernelError
from convtool.kernels import spec as kernel_texts
from convtool.kernels.files import FILE_TYPES
from convtool.kernels.numerals import MAX_SIDE
from convtool.kernels.spec import KernelSpec
from convtool.kernels.weights import Weights, checked


def kernel(spec: str) -> Weights:
    """Return the kernel that a text describes.

    Parameters
    ----------
    spec : str
        A preset with parameters (``gaussian:sigma=2,size=15``; the first parameter's value may
        stand alone, ``gaussian:2``), a file (.txt, .csv, .npy, .json), a picture in any format that
        `convtool.read` takes (``psf.tif``), or a literal (``3x3:0,-1,0,-1,5,-1,0,-1,0``, row by
        row); then ``normalize=none|sum|abs`` and ``scale=``, in that order of effect.
        `convtool.presets` names the presets.

    Returns
    -------
    ndarray
        float64, C-contiguous, shape (KH, KW); for a pair such as ``sobel`` (2, KH, KW), the kernel
        for horizontal edges first: `convtool.gradient_magnitude` takes such a pair; for a group
        such as ``kirsch`` (8, KH, KW).

    Raises
    ------
    KernelError
        Where the text or the file describes no kernel; says which part and what would be right.

    Notes
    -----
    A picture is taken as grey (0.299 R + 0.587 G + 0.114 B), without its alpha, in the units of its
    pixels, and divided by its sum unless the text says ``normalize=none`` or ``abs``.

    Examples
    --------
    >>> import convtool
    >>> convtool.kernel("gaussian:normalize=none,scale=16")
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    >>> convtool.kernel("sobel").shape
    (2, 3, 3)
    """
    return kernel_spec(spec).weights


def kernel_spec(spec: str) -> KernelSpec:
    """Return the kernel that a text describes, with its name and what a user should know of it.

    Parameters and errors are those of `kernel`.

    Examples
    --------
    >>> kernel_spec("blur").name
    'box'
    """
    return kernel_texts.parse(spec, read_picture)


def single_kernel_spec(spec: str) -> KernelSpec:
    """Return the one kernel that a text describes; a group is refused.

    Parameters and errors are those of `kernel`.

    Examples
    --------
    >>> single_kernel_spec("sharpen").weights[1, 1]
    np.float64(5.0)
    """
    return kernel_texts.parse_single(spec, read_picture)


def read_picture(path: str) -> tuple[Weights, str]:
    """Return a picture as a kernel, and what was taken.

    Parameters
    ----------
    path : str
        A file in any format that `convtool.read` takes.

    Returns
    -------
    ndarray
        float64, shape (H, W), in the units of the pixels.
    str
        The note.

    Raises
    ------
    KernelError
        If the file is no picture, is damaged or too large, or holds NaN or infinity.
    """
    from convtool.images import tone
    from convtool.images.read import read

    try:
        picture = read(path, max_pixels=MAX_SIDE**2, cmyk="naive")
    except ImageTooLargeError as error:
        raise KernelError(
            f"the picture is too large; a side of a kernel has 1 to {MAX_SIDE} pixels"
        ) from error
    except ImageReadError as error:
        kinds = ", ".join(FILE_TYPES)
        raise KernelError(f"neither a kernel file ({kinds}) nor a picture: {error}") from error
    if max(picture.height, picture.width) > MAX_SIDE:
        raise KernelError(
            f"the picture has {picture.width}×{picture.height} pixels (width × height); "
            f"a side of a kernel has 1 to {MAX_SIDE}"
        )
    if picture.has_bands:
        raise KernelError(
            f"the picture has {picture.channels} bands; a kernel is made of grey or colours"
        )
    grey = picture.pixels
    if grey.ndim == 3:
        colours = picture.channels - picture.has_alpha
        grey = tone.to_gray(grey[:, :, :3]) if colours == 3 else grey[:, :, 0]
    note = f"is a picture of {picture.width}×{picture.height} pixels, read as grey floats"
    return checked(grey.astype(np.float64)), "; ".join([note, *picture.notes])
