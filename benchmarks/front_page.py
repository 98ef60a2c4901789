"""What the README's first table says: convtool beside four others.

Run ``python benchmarks/front_page.py``. Error: the largest difference, in levels of 8 bits, from a
Gaussian in float64 that is cut nowhere, on the sample photograph. Kept: which properties of a
picture come back from a small blur. Speed is measured by ``benchmarks/cli.py --only jobs``.
ImageMagick, libvips' ``vips``, OpenCV and scikit-image take part where they are there.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import PIL.Image
from PIL import ImageCms
from scipy import ndimage

import convtool
from cli import CONVTOOL, Command, imagemagick
from convtool.bench.machine import describe, in_words
from convtool.convolution.threads import count
from convtool.images import samples
from convtool.images.image import Image, Metadata
from convtool.report.matrix import table

BORDERS = {
    "convtool": "reflect",
    "opencv": "mirror",
    "imagemagick": "nearest",
    "vips": "nearest",
    "scikit-image": "nearest",
}
"""What each takes beyond the edge, in SciPy's words."""

_MAKE = 0x010F
"""The EXIF tag that is looked for."""

_OPENCV = (
    "import sys, cv2\nimage = cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED)\n"
    "cv2.imwrite(sys.argv[2], cv2.GaussianBlur(image, (0, 0), float(sys.argv[3])))\n"
)
_SCIKIT = (
    "import sys, warnings; warnings.simplefilter('ignore')\n"
    "import numpy as np, skimage as ski\nimage = ski.io.imread(sys.argv[1])\n"
    "axis = -1 if image.ndim == 3 and image.shape[-1] in (3, 4) else None\n"
    "soft = ski.filters.gaussian(\n"
    "    image, float(sys.argv[3]), channel_axis=axis, preserve_range=True)\n"
    "whole = np.issubdtype(image.dtype, np.integer)\n"
    "soft = (np.rint(soft) if whole else soft).astype(image.dtype)\n"
    "ski.io.imsave(sys.argv[2], soft, check_contrast=False)\n"
)


def blurs() -> dict[str, Callable[[str], Command]]:
    """Return the command of each that is there, which blurs IN to OUT with a sigma."""
    found: dict[str, Callable[[str], Command]] = {
        "convtool": lambda s: [*CONVTOOL, "filter", "-k", f"gaussian:sigma={s}", "IN", "OUT"],
        "opencv": lambda s: [sys.executable, "-c", _OPENCV, "IN", "OUT", s],
    }
    magick = imagemagick()
    if magick is not None:
        found["imagemagick"] = lambda s: [magick, "IN", "-blur", f"0x{s}", "OUT"]
    if shutil.which("vips"):
        found["vips"] = lambda s: ["vips", "gaussblur", "IN", "OUT", s]
    if find_spec("skimage"):
        found["scikit-image"] = lambda s: [sys.executable, "-c", _SCIKIT, "IN", "OUT", s]
    return found


def run(command: Command, source: Path, target: Path) -> bool:
    """Run a command on a file; return whether it wrote its output."""
    places = {"IN": str(source), "OUT": str(target)}
    done = subprocess.run([places.get(w, w) for w in command], capture_output=True, check=False)
    return done.returncode == 0 and target.exists()


def error(name: str, command: Command, folder: Path) -> float:
    """Return the largest difference from the exact Gaussian of sigma 2, in levels of 8 bits."""
    pixels = samples.load("photograph")
    source, target = folder / "photograph.png", folder / f"{name}.png"
    convtool.write(source, pixels)
    run(command, source, target)
    exact = ndimage.gaussian_filter(
        pixels.astype(float), (2, 2, 0), mode=BORDERS[name], truncate=10
    )
    return float(np.abs(convtool.read(target).pixels - exact).max())


def tagged(folder: Path) -> Path:
    """Write a picture of 16 bits with a profile and EXIF: transparent red beside opaque blue."""
    pixels = np.zeros((32, 32, 4), np.uint16)
    pixels[:, :16, 0], pixels[:, 16:, 2], pixels[:, 16:, 3] = 40001, 50001, 65535
    exif = PIL.Image.Exif()
    exif[_MAKE] = "maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = Metadata(icc=profile, exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    path = folder / "tagged.png"
    convtool.write(path, Image(pixels, has_alpha=True, metadata=metadata))
    return path


def kept(command: Command, folder: Path) -> dict[str, bool]:
    """Return which properties of a picture survive a blur of sigma 1."""
    out, floats, soft = (folder / name for name in ("kept.png", "floats.tif", "soft.tif"))
    for target in (out, soft):
        target.unlink(missing_ok=True)
    run(command, tagged(folder), out)
    with PIL.Image.open(out) as opened:
        metadata, exif = opened.info, opened.getexif()
    image = convtool.read(out)
    bleeding = int(image.pixels[16, 16, 0]) if image.has_alpha else 40001
    convtool.write(floats, np.full((32, 32), -2, np.float32))
    negative = run(command, floats, soft) and bool((convtool.read(soft).pixels < -1).all())
    return {
        "16 bits": image.pixels.dtype == np.uint16,
        "negative floats": negative,
        "opaque pixels free of transparent colour": bleeding <= 1,
        "profile": "icc_profile" in metadata,
        "EXIF": exif.get(_MAKE) == "maker",
    }


def main() -> None:
    """Print the error of each and what it keeps."""
    errors, properties = [["TOOL", "ERROR"]], [["TOOL", "KEPT", "LOST"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool, blur in blurs().items():
            errors.append([tool, f"{error(tool, blur('2'), folder):.2f}"])
            found = kept(blur("1"), folder)
            lost = ", ".join(what for what, there in found.items() if not there)
            properties.append([tool, f"{sum(found.values())} of {len(found)}", lost or "-"])
    print("\n".join([*table(errors), "", *table(properties), "", *in_words(describe(count()))]))


if __name__ == "__main__":
    main()
