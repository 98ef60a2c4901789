"""Words for kernels of everyday use and of other tools, and the presets that are meant."""

from collections.abc import Mapping

_EDGES = ("sobel", "scharr", "laplacian-8")
_BLUR = ("gaussian", "box", "disk")
_SHARPEN = ("unsharp", "sharpen-5", "sharpen-9")
_LINES = ("line-horizontal", "line-vertical", "line-falling")
_BLOBS = ("log", "dog", "laplacian-15")

SUGGESTIONS: Mapping[str, tuple[str, ...]] = (
    dict.fromkeys(
        (
            "edge",
            "edges",
            "edge-detect",
            "edge-detection",
            "edgedetect",
            "find-edges",
            "find_edges",
            "contour",
            "contours",
            "outline",
            "gradient",
            "derivative",
            "canny",
            "canny-edge",
            "spatialgradient",
        ),
        _EDGES,
    )
    | dict.fromkeys(
        (
            "smooth",
            "smoothing",
            "smooth-more",
            "smooth_more",
            "soft",
            "soften",
            "low-pass",
            "lowpass",
            "denoise",
            "gaussblur",
            "gaussianblur",
            "gaussian_blur",
            "gaussian_filter",
            "selective-blur",
            "median",
            "medianblur",
            "bilateral",
            "bilateralfilter",
            "stackblur",
            "despeckle",
        ),
        _BLUR,
    )
    | dict.fromkeys(
        (
            "average",
            "averaging",
            "avg",
            "boxblur",
            "box-blur",
            "box_blur",
            "boxfilter",
            "uniform",
            "uniform_filter",
            "square",
            "unity",
            "rectangle",
        ),
        ("box", "disk", "cross"),
    )
    | dict.fromkeys(
        ("lens-blur", "lensblur", "defocus", "bokeh", "circle", "pillbox", "focus-blur"),
        ("disk", "gaussian", "box"),
    )
    | dict.fromkeys(
        ("motion-blur", "motionblur", "motion_blur", "linear-blur", "shake"),
        ("motion", "box", "gaussian"),
    )
    | dict.fromkeys(
        (
            "sharp",
            "sharper",
            "sharpness",
            "sharpening",
            "unsharp-mask",
            "unsharp_mask",
            "unsharpmask",
            "usm",
            "crisp",
            "detail",
            "enhance",
            "edge-enhance",
            "edge_enhance",
            "high-boost",
            "clarity",
        ),
        _SHARPEN,
    )
    | dict.fromkeys(("high-pass", "highpass", "hipass"), ("laplacian-8", "laplacian-4", "log"))
    | dict.fromkeys(
        ("embossing", "relief", "bump", "bumpmap", "bump-map", "engrave", "shade"),
        ("emboss", "sobel-vertical", "sobel-horizontal"),
    )
    | dict.fromkeys(("line", "lines", "line-detect", "ridge", "ridges"), _LINES)
    | dict.fromkeys(
        (
            "blob",
            "blobs",
            "mexican-hat",
            "marr",
            "marr-hildreth",
            "difference-of-gaussians",
            "gaussian_laplace",
            "laplacian-of-gaussian",
        ),
        _BLOBS,
    )
    | dict.fromkeys(("texture", "wavelet", "gabor-filter"), ("gabor", "log", "dog"))
    | dict.fromkeys(("robinson", "kirsch-compass", "directions"), ("compass", "kirsch", "sobel"))
    | dict.fromkeys(("none", "nothing", "delta", "dirac", "unit"), ("identity", "box", "cross"))
    | dict.fromkeys(("plus", "neighbours", "neighbors"), ("cross", "box", "laplacian-4"))
)
"""What is said in GIMP, ImageMagick, Pillow, OpenCV, SciPy and libvips, in small letters, and three
presets each. For a filter that is no convolution, those that serve the same end."""
