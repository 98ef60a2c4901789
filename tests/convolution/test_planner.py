"""The planner: a pure function, checked on its word and at its borders."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import convtool
from convtool.convolution import calibration, dtypes, engines, planner, run
from convtool.convolution.engines import ENGINES
from convtool.convolution.engines.overlap import LENGTHS
from convtool.convolution.geometry import geometry
from convtool.convolution.planner import DEFAULT_RATES, Calibration, Problem, Rate, choose
from convtool.errors import EngineError

SMALL = Problem(outputs=(480, 640), channels=3, kernel_shape=(3, 3), nonzeros=9, rank=1)
LARGE = Problem(outputs=(1080, 1920), channels=1, kernel_shape=(31, 31), nonzeros=961, rank=31)
LIKE = Calibration(
    dict.fromkeys(DEFAULT_RATES, Rate(0, 0, 1))
    | {"numba-fft": Rate(0, 0, 100), "opencv-dft": Rate(0, 100, 0), "scipy": Rate(0, 0, 2)}
)
"""Every multiply-add costs the same in every engine: only the counts decide."""


@st.composite
def problems(draw):
    kernel_shape = draw(st.tuples(st.integers(1, 63), st.integers(1, 63)))
    return Problem(
        outputs=draw(st.tuples(st.integers(1, 4000), st.integers(1, 4000))),
        channels=draw(st.integers(1, 4)),
        kernel_shape=kernel_shape,
        nonzeros=draw(st.integers(0, math.prod(kernel_shape))),
        rank=draw(st.integers(1, min(kernel_shape))),
        itemsize=draw(st.sampled_from([4, 8])),
        threads=draw(st.integers(1, 16)),
        uint8=draw(st.booleans()),
        exact=draw(st.booleans()),
        floats=draw(st.booleans()),
        cancels=draw(st.booleans()),
    )


RATES = st.builds(
    Calibration,
    st.fixed_dictionaries(
        dict.fromkeys(
            DEFAULT_RATES,
            st.builds(Rate, st.floats(0, 0.001), st.floats(0, 5), st.floats(0, 1), st.floats(0, 1)),
        )
    ),
)
AVAILABLE = st.frozensets(st.sampled_from(sorted(planner.OWN))).map(
    lambda names: names | {"direct", "separable"}
)


@given(problem=problems(), rates=RATES, engine=st.sampled_from(["auto", *ENGINES]))
def test_the_number_of_threads_changes_no_choice(problem, rates, engine):
    one, many = (choose(replace(problem, threads=threads), rates, engine) for threads in (1, 16))
    assert (one.engine, one.rank) == (many.engine, many.rank)


@given(problem=problems())
def test_is_pure_and_costs_every_engine(problem):
    plan = choose(problem)
    assert plan == choose(problem, Calibration(DEFAULT_RATES))
    assert set(plan.costs) == set(ENGINES)
    assert set(choose(replace(problem, exact=True)).costs) == set(ENGINES)
    assert all(math.isfinite(cost) and cost >= 0 for cost in plan.costs.values())
    assert plan.reason


@given(problem=problems(), rates=RATES, engines=AVAILABLE)
def test_takes_the_fastest_engine_that_is_available(problem, rates, engines):
    found = Calibration(rates.rates, engines=engines)
    plan = choose(problem, found)
    assert plan.engine in engines
    assert ENGINES[plan.engine].own
    wanted = choose(problem, rates)
    assert ("run 'convtool compile'" in plan.reason) == (wanted.engine not in engines)
    if wanted.engine in engines:
        assert (plan.engine, plan.rank) == (wanted.engine, wanted.rank)


@given(problem=problems(), rates=RATES)
def test_floats_are_left_to_no_way_that_rounds_much(problem, rates):
    plan = choose(replace(problem, floats=True, exact=False, uniform=False), rates)
    if problem.cancels:
        assert plan.rank in (None, 1)
    if plan.engine == "numba" and plan.rank is None and not problem.uint8:
        assert problem.nonzeros <= planner.MOST_SUMMED[problem.itemsize]


@given(problem=problems(), engine=st.sampled_from(sorted(ENGINES)))
def test_an_engine_that_is_asked_for_is_taken(problem, engine):
    plan = choose(problem, engine=engine)
    assert plan.engine == engine
    assert plan.reason.startswith("asked for")
    assert plan.costs == choose(problem).costs


@given(problem=problems())
def test_a_larger_image_never_costs_less(problem):
    height, width = problem.outputs
    larger = replace(problem, outputs=(2 * height, 2 * width))
    before, after = choose(problem).costs, choose(larger).costs
    del before["numba-fft"]  # its tiles fit some sizes better than others
    assert all(after[name] >= before[name] for name in before)


class TestWithoutCompiledEngines:
    NUMPY = Calibration(DEFAULT_RATES, engines=frozenset({"direct", "separable", "fft"}))

    @pytest.mark.parametrize("taps", [3, 5, 9, 15, 31, 63])
    def test_takes_a_numpy_engine_and_says_how_to_do_better(self, taps):
        problem = replace(LARGE, kernel_shape=(taps, taps), nonzeros=taps * taps, rank=taps)
        plan = choose(problem, self.NUMPY)
        assert plan.engine in self.NUMPY.engines
        assert plan.reason.endswith("run 'convtool compile'")
        wanted = choose(problem)
        assert f"engine '{wanted.engine}' would take about" in plan.reason

    def test_says_nothing_where_nothing_is_faster(self):
        assert "compile" not in choose(replace(LARGE, nonzeros=1, rank=1), self.NUMPY).reason

    def test_an_engine_that_is_asked_for_is_taken(self):
        assert choose(SMALL, self.NUMPY, "numba").engine == "numba"

    def test_is_what_the_installation_says(self, monkeypatch):
        monkeypatch.setattr(engines, "available", lambda: self.NUMPY.engines)
        monkeypatch.setattr(calibration, "_own", calibration._own.__wrapped__)
        plan = convtool.plan((480, 640), "float32", "gaussian:sigma=2")
        assert plan.engine in self.NUMPY.engines
        image = np.ones((480, 640), np.float32)
        taken = convtool.convolve(image, "gaussian:sigma=2")
        asked = convtool.convolve(image, "gaussian:sigma=2", engine=plan.engine)
        np.testing.assert_array_equal(taken, asked)


def test_equal_calibrations_that_arrive_in_a_process_are_one_object():
    sent = Calibration(LIKE.rates, 3, frozenset({"direct", "fft"}))
    first, second = (pickle.loads(pickle.dumps(sent)) for _ in range(2))
    assert first is second
    assert (first.rates, first.cores, first.engines) == (sent.rates, sent.cores, sent.engines)


class TestWork:
    """With every multiply-add at one price, the counts decide."""

    @pytest.mark.parametrize("taps", [3, 4, 7, 15, 31])
    def test_factors_are_used_where_they_save_work(self, taps):
        for rank in range(1, taps + 1):
            problem = Problem((500, 500), 1, (taps, taps), taps * taps, rank)
            plan = choose(problem, calibration=LIKE, engine="numba")
            if 2 * rank * taps < taps * taps:
                assert plan.rank == rank
                assert f"rank {rank}: {2 * rank * taps} multiply-adds" in plan.reason
            elif 2 * rank * taps > taps * taps:
                assert plan.rank is None
                assert f"{taps * taps} multiply-adds a pixel" in plan.reason

    def test_zero_weights_are_not_work(self):
        sparse = Problem((500, 500), 1, (15, 15), 15, 15)
        dense = replace(sparse, nonzeros=225)
        for engine in ("direct", "scipy"):
            few = choose(sparse, calibration=LIKE).costs[engine]
            assert choose(dense, calibration=LIKE).costs[engine] == pytest.approx(15 * few)

    @pytest.mark.parametrize("taps", [63, 101, 201])
    def test_large_kernels_of_full_rank_take_the_fft(self, taps):
        problem = replace(LARGE, kernel_shape=(taps, taps), nonzeros=taps * taps, rank=taps)
        assert choose(problem).engine in ("numba-fft", "fft")
        assert choose(problem, TestWithoutCompiledEngines.NUMPY).engine == "fft"

    def test_a_kernel_beyond_all_compiled_transforms(self):
        problem = replace(LARGE, kernel_shape=(3, LENGTHS[-1] + 1), nonzeros=3 * LENGTHS[-1] + 3)
        assert "numba-fft" not in choose(problem).costs
        with pytest.raises(EngineError, match="'numba-fft' takes no kernel of 3×257; try 'fft'"):
            choose(problem, engine="numba-fft")

    def test_exact_sums_are_kept(self):
        problem = replace(LARGE, exact=True)
        assert choose(problem).engine == "numba"
        assert choose(problem).rank is None
        assert choose(problem, TestWithoutCompiledEngines.NUMPY).engine == "direct"
        assert choose(replace(problem, uint8=True, rank=1)).reason.startswith("8 bits and rank 1")

    def test_large_kernels_of_rank_one_do_not(self):
        plan = choose(replace(LARGE, rank=1))
        assert plan.engine in ("numba", "separable")
        assert plan.rank == 1

    def test_threads_make_own_engines_cheaper(self):
        one, four = choose(LARGE).costs, choose(replace(LARGE, threads=4)).costs
        assert all(four[name] <= one[name] for name, entry in ENGINES.items() if entry.own)
        assert four["numba"] < one["numba"]
        assert four["fft"] < one["fft"]

    def test_one_weight_is_never_part_of_a_sum(self):
        plan = choose(replace(LARGE, nonzeros=1, rank=1))
        assert (plan.engine, plan.rank) == ("direct", None)
        assert plan.reason.startswith("a single weight: one multiplication a pixel")

    def test_double_costs_more(self):
        single, double = choose(LARGE).costs, choose(replace(LARGE, itemsize=8)).costs
        assert all(double[name] > single[name] for name in ENGINES)


class TestFactors:
    @pytest.mark.parametrize(
        "spec", ["laplacian-4", "laplacian-8", "cross", "sharpen-5", "log:sigma=0.5,size=3"]
    )
    @pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
    def test_small_kernels_are_not_factored(self, spec, dtype):
        problem = _problem((500, 500), dtype, convtool.kernel(spec))
        assert {candidate.rank for candidate in _own_candidates(problem)} == {None}

    def test_whole_numbers_are_factored_exactly_or_not_at_all(self):
        cross = np.zeros((15, 15))
        cross[7], cross[:, 7] = 1, 1
        assert 2 in {
            candidate.rank for candidate in _own_candidates(_problem((900, 900), np.float32, cross))
        }
        line, other = np.arange(1.0, 22) ** 2, np.arange(21.0) * 7 + 5
        rounded = np.outer(line, other) + np.outer(other[::-1], line % 11 + 3)
        problem = _problem((900, 900), np.float32, rounded)
        assert (problem.rank, problem.whole, problem.exact_factors) == (2, True, False)
        assert {candidate.rank for candidate in _own_candidates(problem)} == {None}

    def test_exact_sums_may_be_those_of_exact_factors(self):
        kernel = convtool.kernel("gaussian:size=9")
        problem = _problem((900, 900), np.uint8, kernel)
        assert problem.exact
        assert choose(problem).rank == 1
        image = np.random.default_rng(3).integers(0, 256, (60, 50)).astype(np.uint8)
        expected = convtool.correlate(image, kernel, engine="direct", dtype="float64")
        for engine in ("numba:rank=1", "separable"):
            answer = convtool.correlate(image, kernel, engine=engine)
            np.testing.assert_array_equal(answer, expected)

    @pytest.mark.parametrize(
        ("spec", "products"), [("gaussian:sigma=32", 514), ("log:sigma=30,size=257", 1028)]
    )
    def test_rank_is_found_at_any_size(self, spec, products):
        plan = convtool.plan((800, 800), "float32", spec, engine="separable")
        assert plan.rank * 514 == products
        assert f"{products} multiply-adds a pixel, not 66049" in plan.reason

    def test_large_kernels_of_high_rank_work_by_their_own_lines(self, rng):
        kernel = rng.standard_normal((140, 150))
        image = rng.random((20, 30))
        assert convtool.plan(image.shape, image.dtype, kernel, engine="separable").rank == 140
        answer = convtool.correlate(image, kernel, engine="separable")
        expected = convtool.correlate(image, kernel, engine="direct")
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-13 * abs(kernel).sum())
        with pytest.raises(EngineError, match="rank 140"):
            convtool.correlate(image, kernel, engine="separable:rank=139")


def _own_candidates(problem):
    """Return the candidates of the project's own engines that may be chosen."""
    candidates = [
        candidate for candidate in planner.candidates(problem) if ENGINES[candidate.engine].own
    ]
    return [candidate for candidate in candidates if planner._may_choose(candidate, problem)]


def _problem(shape, dtype, kernel):
    layout = geometry(shape, kernel.shape)
    kinds = run.Kinds.of(np.dtype(dtype), dtypes.output_type(np.dtype(dtype), None), kernel)
    return run.problem_for(shape, kinds, (kernel,), layout, 2)


class TestNan:
    def test_nan_in_cval_counts(self):
        answer = convtool.convolve(
            np.ones((200, 200)), np.ones((41, 41)) + np.eye(41), border="constant", cval=np.nan
        )
        assert np.isnan(answer[:20]).all()
        assert np.isfinite(answer[20:-20, 20:-20]).all()

    @pytest.mark.parametrize("kernel", ["disk:radius=3", "disk:radius=15", "box:size=9", "cross"])
    @pytest.mark.parametrize("dtype", ["uint8", "float32"])
    def test_inf_in_cval_reaches_as_far_as_the_kernel(self, kernel, dtype):
        image, weights = np.ones((100, 90), dtype), convtool.kernel(kernel)
        options = {"border": "constant", "cval": np.inf}
        answer = convtool.convolve(image, weights, **options)
        known = convtool.convolve(image, weights, engine="direct", **options)
        np.testing.assert_array_equal(np.isinf(answer), np.isinf(known))
        assert not np.isnan(answer).any()
