"""The named kernels: a registry of what each is, what it takes, how it is built and its source."""

from collections.abc import Callable
from typing import Literal

from convtool.errors import KernelError
from convtool.kernels import edges, numerals, sharpening, smoothing
from convtool.kernels.weights import Weights
from convtool.records import Record

Kind = Literal["number", "size", "odd size"]
Value = float | tuple[int, int]


class Parameter(Record):
    """What a preset takes: ``name=value`` in a spec.

    Attributes
    ----------
    name : str
        The word before ``=``.
    kind : {"number", "size", "odd size"}
        How the value is read: ``2``, ``1/9``; or ``5``, ``7x3`` (rows x columns).
    default : float, (int, int) or None
        The value where the spec gives none; None where it follows from the others.
    meaning : str
        What it does, with its unit.
    low, high : float
        The range of a number, both ends included.
    """

    name: str
    kind: Kind
    default: Value | None
    meaning: str
    low: float = 1
    high: float = numerals.MAX_SIDE

    @property
    def range(self) -> str:
        """The values it may have, in words."""
        sides = f"{self.low:g} to {self.high:g}"
        return {
            "number": sides,
            "size": f"N or ROWSxCOLUMNS, each {sides}",
            "odd size": f"N or ROWSxCOLUMNS, each odd and {sides}",
        }[self.kind]

    def parse(self, text: str) -> Value:
        """Return the value that a text writes.

        Raises
        ------
        KernelError
            Where the text is no such value, or one out of range.
        """
        if self.kind == "number":
            value = numerals.number(text)
            if not self.low <= value <= self.high:
                raise KernelError(f"{value:g} is out of range; {self.name} is {self.range}")
            return value
        rows, columns = numerals.size(text)
        if self.kind == "odd size" and not (rows % 2 and columns % 2):
            raise KernelError(
                f"{numerals.shown(text)} is even; {self.name} must be odd, as it has a centre"
            )
        return rows, columns


class Preset(Record):
    """A named kernel.

    Attributes
    ----------
    build : callable
        Takes the parameters by name; returns float64 of shape (KH, KW), or (2, KH, KW) for a pair.
    summary : str
        What it does, in one line.
    source : str
        Where its matrix or formula comes from.
    parameters : tuple of Parameter
        What it takes besides ``scale`` and ``normalize``.
    pair : tuple of str
        The names of the two presets that a gradient pair consists of; empty for a single kernel.
    """

    build: Callable[..., Weights]
    summary: str
    source: str
    parameters: tuple[Parameter, ...] = ()
    pair: tuple[str, ...] = ()


def _half(pair: Callable[[], Weights], index: int) -> Callable[[], Weights]:
    return lambda: pair()[index]


_MAX_SIGMA = 511.0
_ODD_3 = Parameter("size", "odd size", (3, 3), "rows x columns")
_AUTO_SIZE = Parameter("size", "odd size", None, "rows x columns; from the widths unless given")
_SIGMA = Parameter("sigma", "number", 1.0, "standard deviation in pixels", 0.01, _MAX_SIGMA)
_BINOMIAL_SIGMA = Parameter(
    "sigma", "number", None, "standard deviation in pixels; binomial without", 0.01, _MAX_SIGMA
)
_ANGLE = Parameter("angle", "number", 0.0, "degrees counter-clockwise from the rows", -360, 360)

_GONZALEZ = "R. C. Gonzalez, R. E. Woods, Digital Image Processing, 4th ed. (2018)"
_SMOOTHING = f"{_GONZALEZ}, section 3.5"
_LINES = f"{_GONZALEZ}, section 10.2"
_SHARPENING = f"{_GONZALEZ}, section 3.6"
_PREWITT = "J. M. S. Prewitt, Object enhancement and extraction (1970)"
_SOBEL = "I. Sobel, G. Feldman, A 3x3 isotropic gradient operator for image processing (1968)"
_SCHARR = "H. Scharr, Optimale Operatoren in der digitalen Bildverarbeitung (2000)"
_BURT = "P. J. Burt, Fast filter transforms for image processing, CGIP 16 (1981)"
_MARR = "D. Marr, E. Hildreth, Theory of edge detection, Proc. R. Soc. B 207 (1980)"
_WIKIPEDIA = "Wikipedia, Kernel (image processing)"

PRESETS: dict[str, Preset] = {
    "identity": Preset(
        smoothing.identity, "leaves the image as it is", _WIKIPEDIA, parameters=(_ODD_3,)
    ),
    "box": Preset(
        smoothing.box,
        "mean over a rectangle",
        _SMOOTHING,
        parameters=(Parameter("size", "size", (3, 3), "rows x columns"),),
    ),
    "gaussian": Preset(
        smoothing.gaussian,
        "Gaussian blur: binomial, or sampled with sigma",
        f"{_BURT} (binomial); scipy.ndimage.gaussian_filter (sampled)",
        parameters=(
            _BINOMIAL_SIGMA,
            Parameter("size", "odd size", None, "rows x columns; 3, or four sigmas either side"),
        ),
    ),
    "disk": Preset(
        smoothing.disk,
        "mean over a disk, as a lens out of focus blurs",
        "pixel areas covered by the circle of confusion; MATLAB fspecial('disk')",
        parameters=(Parameter("radius", "number", 5.0, "in pixels", 0.1, 2047),),
    ),
    "motion": Preset(
        smoothing.motion,
        "mean along a line, as a moving camera blurs",
        "pixels weighted by distance from the line; MATLAB fspecial('motion')",
        parameters=(Parameter("length", "number", 9.0, "in pixels", 1, 4095), _ANGLE),
    ),
    "cross": Preset(
        smoothing.cross,
        "sum of a pixel and its four neighbours",
        "the 4-neighbourhood; scipy.ndimage.generate_binary_structure(2, 1)",
    ),
    "first-order": Preset(
        edges.first_order,
        "corners and diagonal edges: differences along both axes",
        f"{_WIKIPEDIA}, edge detection",
    ),
    "prewitt": Preset(
        edges.prewitt,
        "gradient magnitude, equal weights",
        _PREWITT,
        pair=("prewitt-horizontal", "prewitt-vertical"),
    ),
    "prewitt-horizontal": Preset(_half(edges.prewitt, 0), "horizontal edges", _PREWITT),
    "prewitt-vertical": Preset(_half(edges.prewitt, 1), "vertical edges", _PREWITT),
    "sobel": Preset(
        edges.sobel,
        "gradient magnitude, weights 1 2 1",
        _SOBEL,
        pair=("sobel-horizontal", "sobel-vertical"),
    ),
    "sobel-horizontal": Preset(_half(edges.sobel, 0), "horizontal edges", _SOBEL),
    "sobel-vertical": Preset(_half(edges.sobel, 1), "vertical edges", _SOBEL),
    "scharr": Preset(
        edges.scharr,
        "gradient magnitude, weights 3 10 3, truest direction",
        _SCHARR,
        pair=("scharr-horizontal", "scharr-vertical"),
    ),
    "scharr-horizontal": Preset(_half(edges.scharr, 0), "horizontal edges", _SCHARR),
    "scharr-vertical": Preset(_half(edges.scharr, 1), "vertical edges", _SCHARR),
    "line-horizontal": Preset(edges.horizontal_line, "bright horizontal lines", _LINES),
    "line-vertical": Preset(edges.vertical_line, "bright vertical lines", _LINES),
    "line-falling": Preset(edges.falling_line, "bright lines falling to the right", _LINES),
    "line-rising": Preset(edges.rising_line, "bright lines rising to the right", _LINES),
    "laplacian-4": Preset(
        edges.laplacian_4, "edges: centre +4 against four neighbours", _SHARPENING
    ),
    "laplacian-8": Preset(
        edges.laplacian_8, "edges: centre +8 against eight neighbours", _SHARPENING
    ),
    "laplacian-4-mask": Preset(
        lambda: -edges.laplacian_4(),
        "laplacian-4 negated: the sum of second derivatives",
        _SHARPENING,
    ),
    "laplacian-8-mask": Preset(
        lambda: -edges.laplacian_8(), "laplacian-8 negated: diagonals included", _SHARPENING
    ),
    "sharpen-5": Preset(sharpening.sharpen_5, "sharpens: identity plus laplacian-4", _SHARPENING),
    "sharpen-9": Preset(
        sharpening.sharpen_9, "sharpens more: identity plus laplacian-8", _SHARPENING
    ),
    "unsharp": Preset(
        sharpening.unsharp,
        "sharpens: adds what a Gaussian blur takes away",
        f"{_WIKIPEDIA}, unsharp masking 5x5",
        parameters=(
            Parameter("amount", "number", 1.0, "share of the difference added", -100, 100),
            _BINOMIAL_SIGMA,
            Parameter("size", "odd size", None, "rows x columns; 5, or four sigmas either side"),
        ),
    ),
    "emboss": Preset(
        sharpening.emboss,
        "relief lit along the falling diagonal",
        "GIMP manual, Convolution Matrix, emboss",
    ),
    "log": Preset(
        edges.laplacian_of_gaussian,
        "Laplacian of Gaussian, centre negative: blobs and edges",
        f"{_MARR}; sign as scipy.ndimage.gaussian_laplace",
        parameters=(_SIGMA, _AUTO_SIZE),
    ),
    "dog": Preset(
        edges.difference_of_gaussians,
        "difference of Gaussians, narrow minus wide: blobs and edges",
        _MARR,
        parameters=(
            _SIGMA,
            Parameter("ratio", "number", 1.6, "wide sigma / narrow sigma", 0.01, 100),
            _AUTO_SIZE,
        ),
    ),
    "gabor": Preset(
        edges.gabor,
        "texture of one wavelength and direction",
        "J. G. Daugman, JOSA A 2 (1985); parameters as OpenCV getGaborKernel",
        parameters=(
            Parameter("wavelength", "number", 6.0, "of the cosine, in pixels", 0.1, 4095),
            Parameter("angle", "number", 0.0, "degrees clockwise, of the wave", -360, 360),
            Parameter("sigma", "number", 3.0, "of the envelope, in pixels", 0.01, _MAX_SIGMA),
            Parameter("aspect", "number", 0.5, "envelope's width / its length", 0.01, 100),
            Parameter("phase", "number", 0.0, "of the cosine, in degrees", -360, 360),
            _AUTO_SIZE,
        ),
    ),
}


def presets() -> tuple[str, ...]:
    """Return the names of all preset kernels, the gradient pairs included.

    Returns
    -------
    tuple of str
        Each may stand in a spec, as in ``convtool.kernel("sobel")``.

    Examples
    --------
    >>> "gaussian" in presets()
    True
    """
    return tuple(PRESETS)
