"""What filters answer to, what they resemble, and other filters in their place."""

import numpy as np
import pytest

import convtool
from convtool import nn
from convtool.errors import KernelError, ModelError, OptionError
from convtool.kernels.presets import PRESETS
from convtool.nn.inspection.likeness import nearest_presets
from convtool.nn.inspection.lines import line_patterns, probe
from convtool.nn.inspection.replacement import (
    Replacement,
    parse_replacement,
    replace_filter,
)

SINGLE = [name for name, preset in PRESETS.items() if not preset.parts]


class TestLines:
    def test_eight_in_a_window_of_three(self):
        patterns = line_patterns(3, 3)
        directions = [name.split()[0] for name in patterns]
        assert directions == ["vertical"] * 3 + ["horizontal"] * 3 + ["falling", "rising"]
        assert all(pattern.sum() == 3 for pattern in patterns.values())
        assert len({pattern.tobytes() for pattern in patterns.values()}) == 8

    def test_other_windows(self):
        assert len(line_patterns(5, 5)) == 12
        assert list(line_patterns(2, 3)) == [
            "vertical line at the left",
            "vertical line in the middle",
            "vertical line at the right",
            "horizontal line in row 1 of 2",
            "horizontal line in row 2 of 2",
        ]

    def test_response_is_correlation_plus_bias(self, rng):
        layer = nn.Conv2D(2, 3, 3, rng=0)
        layer.params["bias"][...] = rng.standard_normal(3)
        for number, answer in enumerate(probe(layer)):
            assert answer.number == number + 1
            for name, pattern in line_patterns(3, 3).items():
                picture = np.stack([pattern, pattern])[None].astype("float32")
                expected = layer.forward(picture)[0, number, 0, 0]
                assert answer.responses[name] == pytest.approx(expected, abs=1e-5)
                assert answer.seen[name] == answer.responses[name]

    def test_what_the_network_sees_has_passed_its_preprocessing(self):
        layer = nn.Conv2D(1, 2, 3, rng=0)
        layer.params["bias"][...] = 0.3, -0.2
        preprocessing = nn.Preprocessing(3, 3, 1, 0.3, 0.4)
        for number, answer in enumerate(probe(layer, preprocessing)):
            for name, pattern in line_patterns(3, 3).items():
                picture = preprocessing.tensor((255 * pattern[None]).astype("uint8"))
                expected = layer.forward(picture)[0, number, 0, 0]
                assert answer.seen[name] == pytest.approx(expected, abs=1e-5)

    @pytest.mark.parametrize("name", line_patterns(3, 3))
    def test_words_name_the_line_that_a_filter_was_made_for(self, name):
        layer = nn.Conv2D(1, 1, 3, rng=0)
        layer.params["weight"][...] = 3 * line_patterns(3, 3)[name] - 1
        assert probe(layer)[0].words.startswith(f"answers most to a {name} (+6)")

    def test_words_of_filters_that_know_no_lines(self):
        layer = nn.Conv2D(1, 2, 3, bias=False, rng=0)
        layer.params["weight"][0] = 1
        layer.params["weight"][1] = 0
        assert [answer.words for answer in probe(layer)] == [
            "answers to all lines nearly alike (+3 to +3)",
            "is empty: it answers to nothing",
        ]


class TestLikeness:
    @pytest.mark.parametrize("name", SINGLE)
    @pytest.mark.parametrize("factor", [2.5, -0.1])
    def test_every_preset_is_nearest_to_itself(self, name, factor):
        kernel = convtool.kernel(name)
        found = nearest_presets(factor * kernel[::-1, ::-1])[0]
        assert found.cosine == pytest.approx(1, abs=1e-9)
        turned = np.rot90(convtool.kernel(found.preset), found.turn // 90)
        made = (-1 if found.negated else 1) * turned
        assert (made * np.sign(factor) * kernel).sum() > 0

    def test_turns_and_signs(self):
        emboss = convtool.kernel("emboss")
        found = nearest_presets(np.rot90(emboss, 3)[::-1, ::-1])[0]
        assert (found.preset, found.turn, found.negated) == ("emboss", 270, False)
        found = nearest_presets(-convtool.kernel("gaussian"))[0]
        assert (found.preset, found.negated) == ("gaussian", True)

    def test_presets_alike_but_for_a_turn_are_named_once(self, rng):
        found = nearest_presets(rng.standard_normal((3, 3)), 40)
        names = {likeness.preset for likeness in found}
        assert len({"sobel-horizontal", "sobel-vertical"} & names) == 1
        assert len({"laplacian-4", "laplacian-4-mask"} & names) == 1
        cosines = [likeness.cosine for likeness in found]
        assert cosines == sorted(cosines, reverse=True)

    def test_sizes_need_not_agree(self):
        small = np.zeros((5, 5))
        small[1:4, 1:4] = convtool.kernel("sobel-horizontal")[::-1, ::-1]
        assert nearest_presets(small, 1)[0].preset == "sobel-horizontal"
        assert nearest_presets(np.zeros((3, 3))) == []


class TestReplacement:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("conv1=sobel-vertical", Replacement("conv1", None, "sobel-vertical", None)),
            ("1.3=3x1:1,0,-1,bias=2", Replacement("1", 3, "3x1:1,0,-1", 2.0)),
            (
                "conv2.1=gaussian:sigma=1,scale=-1,bias=1e-2",
                Replacement("conv2", 1, "gaussian:sigma=1,scale=-1", 0.01),
            ),
        ],
    )
    def test_text(self, text, expected):
        assert parse_replacement(text) == expected

    @pytest.mark.parametrize(
        "text", ["conv1", "=sobel", "conv1=", "conv1.x=box", "conv1=box,bias=x"]
    )
    def test_wrong_text(self, text):
        with pytest.raises(OptionError):
            parse_replacement(text)

    def model(self):
        layers = [nn.Conv2D(2, 3, (3, 5), padding="same", rng=0), nn.Conv2D(3, 1, 3, bias=False)]
        return nn.Sequential(layers, (2, 9, 9))

    @pytest.mark.parametrize("correlate", [True, False])
    def test_layer_then_does_what_filtering_does(self, correlate, rng):
        model = self.model()
        before = {name: array.copy() for name, array in model.parameters().items()}
        replacement = parse_replacement("conv1.2=sobel-horizontal,bias=0.25")
        assert replace_filter(model, replacement, correlate=correlate) == (0, 1)
        picture = rng.standard_normal((9, 9)).astype("float32")
        answer = model.layers[0].forward(np.stack([picture, picture])[None])[0, 1]
        filtered = convtool.correlate if correlate else convtool.convolve
        expected = filtered(picture, "sobel-horizontal", border="zero") + 0.25
        np.testing.assert_allclose(answer, expected, atol=1e-5)
        after = model.parameters()
        np.testing.assert_array_equal(after["0.weight"][[0, 2]], before["0.weight"][[0, 2]])
        np.testing.assert_array_equal(after["1.weight"], before["1.weight"])

    def test_the_learned_bias_stays_unless_one_is_given(self):
        model = self.model()
        model.layers[0].params["bias"][...] = 7
        replace_filter(model, parse_replacement("conv1.1=box"))
        assert model.layers[0].params["bias"].tolist() == [7, 7, 7]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("conv1=box", "has 3 filters: say which, as in conv1.1="),
            ("conv1.4=box", "no filter 4: it has 1 to 3"),
            ("conv3.1=box", "did you mean"),
            ("conv1.1=gaussian:size=5", "its filters are 3x5, too small"),
            ("conv2=box,bias=1", "has no bias"),
        ],
    )
    def test_what_does_not_fit(self, text, says):
        with pytest.raises(ModelError, match=says):
            replace_filter(self.model(), parse_replacement(text))

    def test_a_pair_is_no_filter(self):
        with pytest.raises(KernelError, match="pair"):
            replace_filter(self.model(), parse_replacement("conv1.1=sobel"))
