"""The sliders of every preset."""

import pytest

from convtool.errors import KernelError
from convtool.images.kernels import kernel_spec
from convtool.kernels.presets import PRESETS
from convtool.view.sliders import LARGEST, preset_sliders, spec_of, values_of


def test_every_preset_and_parameter_has_a_slider():
    found = {one["name"]: one["parameters"] for one in preset_sliders()}
    assert list(found) == list(PRESETS)
    for name, preset in PRESETS.items():
        assert [one["name"] for one in found[name]] == [
            *(parameter.name for parameter in preset.parameters),
            "scale",
        ]


@pytest.mark.parametrize("name", PRESETS)
def test_both_ends_of_every_slider_are_valid_values(name):
    preset = PRESETS[name]
    (found,) = [one for one in preset_sliders() if one["name"] == name]
    for parameter, slider in zip(preset.parameters, found["parameters"], strict=False):
        low, high, step = slider["span"]
        assert low < high
        for value in (low, low + step, high):
            if parameter.name == "angle" and "45" in parameter.meaning and value % 45:
                continue
            spec_of(name, {parameter.name: f"{value:g}"})
        if slider["default"]:
            spec_of(name, {parameter.name: slider["default"]})


@pytest.mark.parametrize(
    "text",
    [
        "gaussian",
        "gaussian:2",
        "gaussian:sigma=4,1,size=9x15",
        "sobel:scale=1/4",
        "unsharp:amount=1.5,sigma=2",
        "laplacian-8:normalize=abs",
        "kirsch:angle=45",
    ],
)
def test_a_spec_and_its_values_are_the_same_kernel(text):
    given = kernel_spec(text)
    again = kernel_spec(spec_of(given.name, values_of(given)))
    assert again.weights.tolist() == given.weights.tolist()
    assert again.combination == given.combination


@pytest.mark.parametrize("text", ["1x3:1,0,-1", "gaussian:sigma=500,size=3", "blur"])
def test_other_kernels_have_no_sliders(text):
    assert values_of(kernel_spec(text)) is None


@pytest.mark.parametrize(
    ("preset", "values", "words"),
    [
        ("nothing", {}, "'nothing' is no preset"),
        ("../a.csv", {}, "is no preset"),
        ("gaussian", {"sigma": "nan"}, "sigma: 'nan' is not a finite number"),
        ("gaussian", {"sigma": "0"}, "out of range"),
        ("gaussian", {"sigma": "2,size=4095"}, "sigma: "),
        ("gaussian", {"sigma": str(LARGEST + 1)}, "the page goes up to 360"),
        ("box", {"size": "4095"}, "the page goes up to 360"),
        ("box", {"size": "5", "radius": "3"}, "box has no parameter 'radius'"),
        ("box", {"normalize": "max"}, "normalize: it is one of none, sum, abs"),
        ("box", {"scale": "1e9"}, "scale: "),
    ],
)
def test_other_values_are_refused(preset, values, words):
    with pytest.raises(KernelError, match=words):
        spec_of(preset, values)
