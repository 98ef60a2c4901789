"""The plan of a picture: each decision once, and the same one wherever it is executed."""

import numpy as np
import pytest

from convtool.convolution import pictures
from convtool.errors import ImageTooLargeError, OptionError
from convtool.filtering import FilterOptions, execution, filter_image, plan
from convtool.filtering.execution import Machine, Storage
from convtool.filtering.job import FilterJob
from convtool.filtering.mask import Mask
from convtool.filtering.plan import PictureKind, plan_filter
from convtool.filtering.strips.job import filter_stream
from convtool.filtering.strips.options import StoreOptions
from convtool.images.image import Image
from convtool.images.write import write
from convtool.kernels.spec import parse

BYTES, FLOATS = np.dtype("uint8"), np.dtype("float32")


def plan_of(*kernels, shape=(40, 50), dtype=BYTES, has_alpha=False, format="", **options):
    kind = PictureKind(shape, dtype, has_alpha, format)
    return plan_filter(kind, [parse(one) for one in kernels], FilterOptions(**options))


@pytest.mark.parametrize(
    ("kernels", "options", "tone"),
    [
        (["box"], {}, plan.DIRECT),
        (["box"], {"range": "abs"}, plan.DIRECT),
        (["box"], {"range": "offset"}, plan.IN_PIECES),
        (["box"], {"bias": 1.0}, plan.IN_PIECES),
        (["box"], {"cval": 300.0, "border": "constant"}, plan.IN_PIECES),
        (["box"], {"depth": "16"}, plan.IN_PIECES),
        (["box", "box"], {}, plan.IN_PIECES),
        (["cross"], {}, plan.IN_PIECES),
        (["sobel"], {}, plan.IN_PIECES),
        (["sobel"], {"range": "stretch"}, plan.MEASURED),
        (["sobel"], {"direction": True}, plan.AFTERWARDS),
        (["box"], {"linear": True}, plan.AFTERWARDS),
        (["box"], {"region": (0, 0, 9, 9)}, plan.DIRECT),
        (["sobel"], {"region": (0, 0, 9, 9)}, plan.AFTERWARDS),
    ],
    ids=str,
)
def test_when_answers_become_pixels(kernels, options, tone):
    assert plan_of(*kernels, **options).tone == tone


def test_a_plan_for_transparency_multiplies_by_alpha_and_tones_afterwards():
    opaque = plan_of("gaussian", shape=(40, 50, 4), has_alpha=True)
    assert (opaque.mixes, opaque.must_be_opaque, opaque.premultiplies) == (True, True, False)
    assert (opaque.tone, opaque.given_dtype) == (plan.IN_PIECES, BYTES)
    clear = opaque.for_transparency()
    assert (clear.must_be_opaque, clear.premultiplies) == (False, True)
    assert (clear.tone, clear.given_dtype) == (plan.AFTERWARDS, FLOATS)
    assert clear.finisher() is None
    assert clear.steps is opaque.steps


@pytest.mark.parametrize("options", [{"alpha": "keep"}, {}])
def test_no_alpha_is_looked_at_where_no_pixels_are_mixed(options):
    kernel = "box" if options else "1x1:2"
    found = plan_of(kernel, shape=(40, 50, 4), has_alpha=True, **options)
    assert not found.mixes
    assert not found.for_transparency().premultiplies


def test_light_is_resolved_by_the_format():
    assert plan_of("box", dtype=FLOATS, format="exr", linear=True).options.linear is False
    encoded = plan_of("box", linear=True, border="constant", cval=128.0)
    assert encoded.options.linear is True
    assert encoded.options.cval == pytest.approx(55.04, abs=0.01)


@pytest.mark.parametrize("options", [{}, {"region": (3, 4, 20, 10)}, {"channels": "R"}])
def test_nothing_is_planned_again_while_a_picture_is_filtered(options, rng, monkeypatch):
    image = Image(rng.integers(0, 256, (40, 50, 3), np.uint8))
    specs = [parse("gaussian"), parse("sobel")]
    made = plan_filter(PictureKind.of_image(image), specs, FilterOptions(**options))
    expected = filter_image(image, specs, FilterOptions(**options)).image.pixels
    monkeypatch.setattr(pictures, "planned", None)
    monkeypatch.setattr(plan, "plan_filter", None)
    result = filter_image(image, specs, plan=made)
    assert np.array_equal(result.image.pixels, expected)
    assert [step.plan for step in result.steps] == [step.plan for step in made.steps]


def test_strips_execute_and_report_the_plan_that_is_told(rng, tmp_path):
    write(tmp_path / "in.tif", rng.integers(0, 256, (300, 50, 3), np.uint8))
    told = []
    job = FilterJob((parse("gaussian"), parse("sobel")))
    outcome = filter_stream(
        str(tmp_path / "in.tif"), str(tmp_path / "out.tif"), job, StoreOptions(),
        planned=told.append,
    )  # fmt: skip
    (made,) = told
    assert outcome.execution is made.execution
    assert outcome.execution.way == execution.STRIPS
    assert outcome.execution.halo == 4
    assert [step.plan for step in outcome.steps] == [step.plan for step in made.steps]


def test_a_plan_knows_the_part_and_where_it_lies():
    mask = Mask(np.full((40, 50), 255, np.uint8), "white.png")
    made = plan_of("box", shape=(40, 50, 3), region=(3, 4, 20, 10), mask=mask, channels="G")
    assert made.part.region == (3, 4, 20, 10)
    assert made.part.chosen.planes == (1,)
    assert made.place.size == made.given_shape[:2] == (12, 22)
    assert made.shape == (40, 50, 3)


@pytest.mark.parametrize(
    ("storage", "machine", "way"),
    [
        ({}, {}, execution.MEMORY),
        ({"whole": 10**6, "band": 4}, {}, execution.MEMORY),
        ({"whole": 10**6 + 1, "band": 4}, {}, execution.STRIPS),
        ({"whole": 10**6 + 1}, {}, execution.MEMORY),
        ({"whole": 1, "band": 4}, {"max_pixels": 1999}, execution.STRIPS),
        ({"whole": None, "band": 4}, {}, execution.STRIPS),
        ({"whole": 1, "band": 4}, {"workers": 2}, execution.BLOCKS),
    ],
    ids=str,
)
def test_the_plan_decides_how_it_is_executed(storage, machine, way):
    kind, given = PictureKind((40, 50), BYTES), Storage(**storage)
    machine = Machine(memory=10**6, **machine)
    made = plan_filter(kind, [parse("box")], FilterOptions(), given, machine)
    assert made.execution.way == way
    assert made.options.threads == (1 if way == execution.BLOCKS else None)


def test_a_part_of_a_picture_is_not_filtered_in_strips():
    kind, options = PictureKind((40, 50), BYTES), FilterOptions(region=(1, 2, 3, 4))
    made = plan_filter(kind, [parse("box")], options, Storage(1000, 4), Machine(1000))
    assert made.execution.way == execution.PARTIAL
    with pytest.raises(OptionError, match="filtered strip by strip, which `region=` cannot be"):
        plan_filter(kind, [parse("box")], options, Storage(1001, 4), Machine(1000))


def test_the_fewest_rows_that_memory_must_hold_are_known_beforehand():
    kind = PictureKind((4000, 5000), BYTES)
    storage = Storage(None, 1)
    with pytest.raises(
        ImageTooLargeError, match="even strip by strip, more than the limit of 1 MB"
    ):
        plan_filter(kind, [parse("box:size=101")], FilterOptions(), storage, Machine(10**6))
    made = plan_filter(kind, [parse("box:size=101")], FilterOptions(), storage, Machine(10**7))
    assert made.execution == execution.Execution(execution.STRIPS, 100, 100, raised=True)
