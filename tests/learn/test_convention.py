"""What another program did is told from its picture: real programs, and made-up conventions."""

import shutil
import subprocess

import numpy as np
import pytest
from scipy import ndimage

import convtool
from convtool.kernels.spec import KernelSpec, parse
from convtool.learn import fit
from convtool.learn.convention import PROGRAMS, convention
from convtool.learn.nearest import TURNS, nearest, plain

ODD = KernelSpec("mine", "mine", np.arange(1.0, 26).reshape(5, 5) ** 1.5)
EVEN = KernelSpec("even", "even", np.array([[1.0, 2], [3, 4]]))


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (60, 70)).astype(np.uint8)


def found(image, after, spec, size=5, bias=False):
    learned = fit([(image, after)], size, bias=bias)
    match = nearest(learned.kernel_with_bias, spec)[0]
    assert match.cosine > 0.999
    return convention(learned, match, [(image, after)])


def test_scipy(image):
    values = image.astype(float)
    convolved = found(image, ndimage.convolve(values, ODD.weights, mode="reflect"), ODD)
    assert (convolved.flips, convolved.borders) == (True, ("reflect",))
    assert "scipy.ndimage.convolve" in convolved.programs
    correlated = found(image, ndimage.correlate(values, ODD.weights), ODD)
    assert correlated.flips is False
    assert "scipy.ndimage.correlate" in correlated.programs
    assert "libvips conv" not in correlated.programs


@pytest.mark.parametrize("spec", [ODD, EVEN], ids=["odd", "even"])
def test_opencv(image, spec):
    import cv2

    kernel = spec.weights / spec.weights.sum()
    known = found(image, cv2.filter2D(image, -1, kernel), spec)
    assert (known.flips, known.normalises, known.rounding) == (False, True, "nearest")
    assert known.borders == ("mirror",)
    assert known.moved == (0, 0)
    assert known.programs == ("OpenCV filter2D",)


def test_pillow(image):
    from PIL import Image, ImageFilter

    kernel = ImageFilter.Kernel((5, 5), ODD.weights.ravel().tolist())
    known = found(image, np.asarray(Image.fromarray(image).filter(kernel)), ODD)
    assert (known.turn, known.normalises) == ("left-right", True)
    assert known.programs == ("Pillow ImageFilter.Kernel",)
    assert "the pixels at the edge are unchanged" in known.sentences


@pytest.mark.skipif(not shutil.which("vips"), reason="vips is not installed")
@pytest.mark.parametrize("precision", ["float", "integer"])
def test_libvips(image, precision, tmp_path):
    rows = "\n".join(" ".join(f"{v:g}" for v in row) for row in np.arange(1, 26).reshape(5, 5))
    (tmp_path / "k.mat").write_text(f"5 5 325 0\n{rows}\n")
    convtool.write(tmp_path / "a.png", image)
    command = ["vips", "conv", "a.png", "b.tif", "k.mat", "--precision", precision]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    spec = KernelSpec("k", "k", np.arange(1.0, 26).reshape(5, 5))
    known = found(image, convtool.read(tmp_path / "b.tif").pixels, spec)
    assert (known.flips, known.normalises, known.borders) == (False, True, ("nearest",))
    assert "libvips conv" in known.programs
    assert not any("convtool" in name or "OpenCV" in name for name in known.programs)


def has_imagemagick():
    """Whether ``convert`` is ImageMagick's: other programs have that name."""
    if not shutil.which("convert"):
        return False
    said = subprocess.run(["convert", "-version"], capture_output=True, text=True, check=False)
    return "ImageMagick" in said.stdout


@pytest.mark.skipif(not has_imagemagick(), reason="ImageMagick is not installed")
@pytest.mark.parametrize(
    ("arguments", "flips", "program"),
    [
        (["-morphology", "Convolve", "5x5: {}"], True, "ImageMagick -morphology Convolve"),
        (["-convolve", "{}"], False, "ImageMagick -convolve"),
    ],
)
def test_imagemagick(image, arguments, flips, program, tmp_path):
    weights = np.arange(1, 26) / (325 if flips else 1)
    written = [one.format(",".join(map(repr, weights.tolist()))) for one in arguments]
    convtool.write(tmp_path / "a.png", image)
    command = ["convert", "a.png", *written, "b.png"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    spec = KernelSpec("k", "k", np.arange(1.0, 26).reshape(5, 5))
    known = found(image, convtool.read(tmp_path / "b.png").pixels, spec)
    assert (known.flips, known.normalises, known.borders) == (flips, True, ("nearest",))
    assert program in known.programs


@pytest.mark.skipif(not shutil.which("gm"), reason="GraphicsMagick is not installed")
def test_graphicsmagick(image, tmp_path):
    weights = np.arange(1.0, 26)
    convtool.write(tmp_path / "a.png", image)
    given = ",".join(f"{v:g}" for v in weights)
    command = ["gm", "convert", "a.png", "-convolve", given, "b.png"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    known = found(
        image,
        convtool.read(tmp_path / "b.png").pixels,
        KernelSpec("k", "k", weights.reshape(5, 5)),
    )
    assert (known.flips, known.normalises, known.borders) == (False, True, ("nearest",))
    assert known.rounding == "down"
    assert "GraphicsMagick -convolve" in known.programs


@pytest.mark.parametrize("border", ["reflect", "mirror", "nearest", "wrap", "constant"])
@pytest.mark.parametrize("turn", TURNS)
def test_every_turn_and_border(image, turn, border):
    kernel = TURNS[turn].apply(ODD.weights) / 8
    known = found(image, convtool.convolve(image, kernel, border=border), ODD)
    assert (known.turn, known.borders) == (turn, (border,))
    assert known.scale == pytest.approx(1 / 8, rel=1e-4)
    assert "the weights are divided by 8" in known.sentences
    assert known.flips is {"none": True, "half": False}.get(turn)


@pytest.mark.parametrize("rounding", ["nearest", "down"])
@pytest.mark.parametrize("bias", [0, 40])
def test_rounding(image, rounding, bias):
    exact = convtool.convolve(image.astype(float), "gaussian:sigma=1", border="wrap") * 0.8 + bias
    after = (np.rint(exact) if rounding == "nearest" else np.floor(exact)).astype(np.uint8)
    known = found(image, after, parse("gaussian:sigma=1"), 9, bias=bool(bias))
    assert known.rounding == rounding
    assert known.flips is None


@pytest.mark.parametrize("rounding", ["half to even", "half up", "down"])
def test_rounding_where_all_that_is_not_whole_is_a_half(image, rounding):
    exact = ndimage.convolve(image.astype(float), np.array([[1, 2], [2, 3]]) / 2)
    rounds = {"half to even": np.rint, "half up": lambda v: np.floor(v + 0.5), "down": np.floor}
    after = np.clip(rounds[rounding](exact), 0, 1023).astype(np.uint16)
    spec = KernelSpec("halves", "halves", np.array([[1.0, 2], [2, 3]]))
    known = found(image.astype(np.uint16), after, spec, 3)
    assert known.rounding == ("down" if rounding == "down" else "nearest")


def test_bias_is_put_into_words(image):
    known = found(image, convtool.convolve(image, "emboss") + 127.5, parse("emboss"), 3, bias=True)
    assert any("half of white" in one for one in known.sentences)
    known = found(image, convtool.convolve(image, "emboss") + 127.5, parse("emboss"), 3)
    assert any("seems to be added: with `bias=True`" in one for one in known.sentences)


def test_shift_is_put_into_words(image):
    after = np.roll(convtool.convolve(image, ODD.weights), (1, -1), (0, 1))
    known = found(image, after, ODD, 9)
    assert known.moved == (1, -1)
    assert any("1 down and 1 to the left" in one for one in known.sentences)


def test_sign_of_an_antisymmetric_kernel_is_said_to_be_open(image):
    after = convtool.correlate(image, "sobel-vertical")
    known = found(image, after, parse("sobel-vertical"), 3)
    assert "for this kernel that is the same as a change of sign" in known.sentences[0]


@pytest.mark.parametrize("name", [n for n in convtool.presets() if parse(n).weights.ndim == 2])
def test_every_preset_is_nearest_to_itself(name):
    match = nearest(np.pad(parse(name).weights, 1))[0]
    assert (match.name, match.turn, match.shift) == (name, "none", (0, 0))
    assert match.scale == pytest.approx(1)
    assert match.cosine == pytest.approx(1)


def test_width_of_a_gaussian_is_found():
    kernel = parse("gaussian:sigma=1.37,size=9").weights
    assert nearest(kernel)[0].spec.startswith("gaussian:sigma=1.37")


def test_nothing_is_near_a_kernel_of_zeros():
    assert nearest(np.zeros((3, 3))) == []
    assert nearest(np.ones((3, 3)), ODD) == []


@pytest.mark.parametrize(("scale", "text"), [(1 / 9, "1/9"), (-0.5, "-1/2"), (3, "3"), (16, "16")])
def test_plain_scales(scale, text):
    assert str(plain(scale * 1.0005)) == text
    assert plain(0.7713) is None


def test_programs_lie_as_turns_say():
    assert {one.turn for one in PROGRAMS.values()} <= TURNS.keys()
