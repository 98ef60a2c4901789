"""The registry of preset kernels with their parameters and sources."""

from collections.abc import Callable

from convtool.kernels import compass, derivatives, edges, sharpening, smoothing
from convtool.kernels.parameters import Parameter
from convtool.kernels.weights import Combination, Weights
from convtool.records import Record


class Preset(Record):
    """A named kernel."""

    build: Callable[..., Weights]
    """Takes the parameters by name; returns float64 of shape (KH, KW), or (N, KH, KW) for a
    group."""
    summary: str
    """A one-line description."""
    source: str
    """The source of its matrix or formula."""
    parameters: tuple[Parameter, ...] = ()
    """The parameters besides ``scale`` and ``normalize``."""
    parts: tuple[str, ...] = ()
    """The specs of the kernels of a group; empty for a single kernel."""
    combination: Combination | None = None
    """The combination of a group's outputs; None for a single kernel."""
    has_direction: bool = True
    """Whether a pair consists of the vertical and the horizontal derivative, in this order, which
    determine the direction of the gradient."""


def _half(pair: Callable[..., Weights], index: int) -> Callable[..., Weights]:
    return lambda **parameters: pair(**parameters)[index]


def _pair(
    name: str,
    build: Callable[..., Weights],
    summary: str,
    source: str,
    *,
    ways: tuple[str, str] = ("horizontal", "vertical"),
    half: str = "{} edges",
    parameters: tuple[Parameter, ...] = (),
    orders: tuple[Parameter, ...] = (),
) -> dict[str, Preset]:
    """Return a pair of derivatives as a group and each of the two by itself.

    ``parameters`` are of all three, ``orders`` of the group alone.
    """
    parts = tuple(f"{name}-{way}" for way in ways)
    group = Preset(
        build,
        f"gradient magnitude, {summary}",
        source,
        parameters=(*parameters, *orders),
        parts=parts,
        combination="magnitude",
        has_direction=ways == ("horizontal", "vertical"),
    )
    halves = {
        part: Preset(_half(build, index), half.format(ways[index]), source, parameters=parameters)
        for index, part in enumerate(parts)
    }
    return {name: group} | halves


def _compass(
    name: str, build: Callable[..., Weights], weights: str, source: str
) -> dict[str, Preset]:
    """Return a kernel that is laid in eight directions, as a group."""
    preset = Preset(
        build,
        f"edges: maximum over eight directions, {weights}",
        source,
        parameters=(_TURN,),
        parts=tuple(f"{name}:angle={angle}" for angle in compass.ANGLES),
        combination="maximum",
    )
    return {name: preset}


_MAX_SIGMA = 511.0
_ODD_3 = Parameter("size", "odd size", (3, 3), "rows x columns")
_AUTO_SIZE = Parameter("size", "odd size", None, "rows x columns; from the widths unless given")
_SIGMA = Parameter("sigma", "number", 1.0, "standard deviation in pixels", 0.01, _MAX_SIGMA)
_BINOMIAL_SIGMA = Parameter(
    "sigma",
    "numbers",
    None,
    "in pixels, or VERTICAL,HORIZONTAL; binomial without",
    0.01,
    _MAX_SIGMA,
)
_TAPS = Parameter("size", "odd number", 3, "rows and columns", 3, 31)
_TURN = Parameter(
    "angle", "number", None, "degrees clockwise, a multiple of 45; all eight without", -360, 360
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
_ROBERTS = "L. G. Roberts, Machine perception of three-dimensional solids (1963)"
_KIRSCH = "R. A. Kirsch, Comput. Biomed. Res. 4 (1971); angles as ImageMagick Kirsch"
_COMPASS = f"{_PREWITT}; angles as ImageMagick Compass"
_FREI_CHEN = "W. Frei, C.-C. Chen, IEEE Trans. Comput. C-26 (1977)"
_FARID = "H. Farid, E. P. Simoncelli, IEEE Trans. Image Process. 13 (2004), table 1; skimage farid"
_SOBEL_SIZES = f"{_SOBEL}; other sizes as OpenCV getDerivKernels"
_MAGICK = "ImageMagick, Laplacian:15 and Laplacian:19 (sigma about 1.4)"
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
        "Gaussian blur: binomial, or sampled with sigma; its derivatives with dx, dy",
        f"{_BURT} (binomial); scipy.ndimage.gaussian_filter (sampled)",
        parameters=(
            _BINOMIAL_SIGMA,
            Parameter("size", "odd size", None, "rows x columns; 3, or four sigmas either side"),
            Parameter("dx", "whole number", 0, "order of the horizontal derivative", 0, 4),
            Parameter("dy", "whole number", 0, "order of the vertical derivative", 0, 4),
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
    **_pair(
        "roberts",
        derivatives.roberts,
        "differences along the diagonals of 2x2 pixels",
        _ROBERTS,
        ways=("falling", "rising"),
        half="difference along the {} diagonal",
    ),
    **_pair("prewitt", derivatives.prewitt, "equal weights", _PREWITT),
    **_pair(
        "sobel",
        derivatives.sobel,
        "weights 1 2 1; one derivative with dx or dy",
        _SOBEL_SIZES,
        parameters=(_TAPS,),
        orders=(
            Parameter("dx", "whole number", None, "order of the horizontal derivative", 0, 30),
            Parameter("dy", "whole number", None, "order of the vertical derivative", 0, 30),
        ),
    ),
    **_pair("scharr", derivatives.scharr, "weights 3 10 3, truest direction", _SCHARR),
    **_pair(
        "frei-chen",
        derivatives.frei_chen,
        "weights 1 √2 1, the same in all directions",
        _FREI_CHEN,
    ),
    **_pair("farid", derivatives.farid, "5x5, true under rotation", _FARID),
    **_compass("kirsch", compass.kirsch, "weights 5 and -3", _KIRSCH),
    **_compass("compass", compass.compass, "weights 1, -1 and -2", _COMPASS),
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
    "laplacian-sobel": Preset(
        derivatives.laplacian_sobel,
        "sum of second derivatives, smoothed across as Sobel does",
        "OpenCV, Laplacian with ksize 3, 5, 7",
        parameters=(_TAPS,),
    ),
    "laplacian-15": Preset(
        edges.laplacian_15, "Laplacian of Gaussian, 5x5 whole numbers, centre +16", _MAGICK
    ),
    "laplacian-19": Preset(
        edges.laplacian_19, "Laplacian of Gaussian, 9x9 whole numbers, centre +40", _MAGICK
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


ALIASES: dict[str, str] = {
    "laplacian": "laplacian-4",
    "laplace": "laplacian-4",
    "mean": "box",
    "blur": "box",
    "gauss": "gaussian",
    "gaussian-blur": "gaussian",
    "sharpen": "sharpen-5",
    "laplacian:size": "laplacian-sobel:size",
    "laplacian:15": "laplacian-15",
    "laplacian:19": "laplacian-19",
}
"""Alternative names of presets, case-insensitive."""


def presets() -> tuple[str, ...]:
    """Return the names of all preset kernels, groups included.

    Returns
    -------
    tuple of str
        Each is valid in a spec, as in ``convtool.kernel("sobel")``.

    Examples
    --------
    >>> "gaussian" in presets()
    True
    """
    return tuple(PRESETS)
