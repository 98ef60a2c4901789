"""Fits that recover known rates, files that are not trusted, a planner that listens."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

import convtool
from convtool.bench import calibrate
from convtool.bench.calibrate import TARGETS, Sample
from convtool.convolution import calibration, candidates
from convtool.convolution.candidates import Problem, Rate
from convtool.convolution.planner import BUILT_IN, DEFAULT_RATES, Calibration
from convtool.errors import ConvtoolWarning, ReportWriteError


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    """Keep the calibration in a folder of the test."""
    file = tmp_path / "deep" / "calibration.json"
    monkeypatch.setenv(calibration.VARIABLE, str(file))
    calibration.forget()
    yield file
    calibration.forget()


def samples_at(rate, threads=(1, 2)):
    """Return samples that cost exactly a rate."""
    found = []
    for count in threads:
        for size in (100, 1000, 3000):
            for kernel in (3, 7, 15, 31):
                problem = Problem((size, size), 1, (kernel, kernel), kernel**2, kernel, 4, count)
                candidate = candidates.candidates(problem)[0]
                found.append(Sample(problem, candidate, candidates.cost(problem, candidate, rate)))
    return found


@pytest.mark.parametrize(
    "rate", [Rate(1e-4, 0.4, 0.05, 0.9), Rate(0.0, 2.0, 0.0, 1.0), Rate(5e-5, 0.0, 1.5, 0.7)]
)
def test_fit_recovers_the_rate(rate):
    found = calibrate.fit(samples_at(rate))
    for name in ("fixed", "per_sample", "per_step", "parallel"):
        assert getattr(found, name) == pytest.approx(getattr(rate, name), rel=1e-6, abs=1e-9)


def test_fit_on_one_thread_assumes_the_share():
    rate = Rate(1e-4, 0.4, 0.05, calibrate.DEFAULT_PARALLEL)
    found = calibrate.fit(samples_at(rate, threads=(1,)))
    assert found.parallel == calibrate.DEFAULT_PARALLEL
    assert found.per_step == pytest.approx(0.05)


def test_fit_of_noise_stays_near_and_never_negative(rng):
    rate = Rate(1e-4, 0.4, 0.05, 0.9)
    noisy = [
        replace(one, seconds=one.seconds * rng.uniform(0.95, 1.05)) for one in samples_at(rate)
    ]
    found = calibrate.fit(noisy)
    assert min(found.fixed, found.per_sample, found.per_step) >= 0
    for one in noisy:
        assert candidates.cost(one.problem, one.candidate, found) == pytest.approx(
            one.seconds, rel=0.15
        )


def test_planner_knows_when_the_engine_sums_by_running():
    from convtool.convolution.engines.jit import weights

    assert candidates.RUNNING_SUMS_FROM == weights.UNIFORM_FROM
    box = convtool.plan((1000, 1000), "float32", np.ones((9, 9)), engine="numba")
    larger = convtool.plan((1000, 1000), "float32", np.ones((31, 31)), engine="numba")
    assert "running sums" in larger.reason
    assert larger.costs["numba"] < 2 * box.costs["numba"]
    for channels in range(1, 6):
        sums = weights.is_summed(np.ones((31, 31)), channels)
        assert sums == (channels in candidates.RUNNING_SUMS_CHANNELS)


def test_every_rate_of_the_planner_is_measured():
    assert [target.rate for target in TARGETS] == list(DEFAULT_RATES)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.rate)
def test_targets_measure_the_way_they_name(target, monkeypatch):
    monkeypatch.setattr(calibrate, "SIZES", ((40, 50),))
    smallest = replace(target, kernels=target.kernels[:1])
    found = calibrate.samples(smallest, threads=2, rounds=1)
    assert [one.problem.threads for one in found] == [1, 2]
    for one in found:
        assert one.candidate.rate == target.rate
        assert one.seconds > 0


def test_saved_rates_are_what_the_planner_uses(own_file):
    dear = Rate(10.0, 0.0, 0.0)
    rates = dict.fromkeys(DEFAULT_RATES, dear) | {"direct": Rate(0.0, 0.0, 0.0)}
    assert convtool.plan((100, 100), "float32", np.ones((3, 3))).costs["direct"] > 0
    assert calibrate.save(rates) == str(own_file)
    assert own_file.parent.stat().st_mode & 0o777 == 0o700
    assert calibration.load() == calibration.load()
    plan = convtool.plan((100, 100), "float32", np.ones((3, 3)))
    assert plan.engine == "direct"
    assert plan.costs["direct"] == 0
    assert plan.costs["numba"] >= 10


def test_without_a_file_the_built_in_rates_hold_silently():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert calibration.load() is BUILT_IN


def good():
    return calibration.as_report(DEFAULT_RATES)


def broken(change):
    report = json.loads(json.dumps(good()))
    change(report)
    return json.dumps(report)


BAD = {
    "empty": "",
    "cut": json.dumps(good())[:100],
    "deep": "[" * 100_000,
    "list": "[]",
    "other schema": broken(lambda r: r.update(schema="convtool.bench/1")),
    "other machine": broken(lambda r: r["machine"].update(cpu="an abacus")),
    "no rates": broken(lambda r: r.pop("rates")),
    "a rate too few": broken(lambda r: r["rates"].pop("fft")),
    "a rate too many": broken(lambda r: r["rates"].update(abacus={})),
    "a rate of nothing": broken(lambda r: r["rates"].update(fft=None)),
    "a number missing": broken(lambda r: r["rates"]["fft"].pop("fixed")),
    "text": broken(lambda r: r["rates"]["fft"].update(fixed="1")),
    "true": broken(lambda r: r["rates"]["fft"].update(fixed=True)),
    "negative": broken(lambda r: r["rates"]["fft"].update(fixed=-1)),
    "nan": broken(lambda r: r["rates"]["fft"].update(fixed=float("nan"))),
    "share": broken(lambda r: r["rates"]["fft"].update(parallel=1.5)),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_damaged_or_foreign_file_is_ignored_with_one_warning(own_file, text):
    own_file.parent.mkdir()
    own_file.write_text(text)
    with pytest.warns(ConvtoolWarning, match="and is ignored; 'convtool bench --calibrate'") as got:
        loaded = [calibration.load() for _ in range(2)]
    assert loaded == [BUILT_IN, BUILT_IN]
    assert len(got) == 1
    assert "\n" not in str(got[0].message)


def test_bytes_that_are_no_text_are_damaged(own_file):
    own_file.parent.mkdir()
    own_file.write_bytes(b"\xff\xfe\x00")
    with pytest.warns(ConvtoolWarning, match="is damaged"):
        assert calibration.load() is BUILT_IN


def test_folder_in_its_place_is_not_read(own_file):
    own_file.mkdir(parents=True)
    with pytest.warns(ConvtoolWarning, match="cannot be read"):
        assert calibration.load() is BUILT_IN


def test_good_file_is_read(own_file):
    own_file.parent.mkdir()
    own_file.write_text(json.dumps(good()))
    assert calibration.load().rates == DEFAULT_RATES


def test_held_calibration_ends():
    other = Calibration(dict(DEFAULT_RATES))
    with calibration.held(other):
        assert calibration.load() is other
    assert calibration.load() is BUILT_IN


def test_place_that_cannot_be_made_is_an_error(own_file):
    own_file.parent.write_text("a file")
    with pytest.raises(ReportWriteError, match=calibration.VARIABLE):
        calibrate.save(DEFAULT_RATES)


def test_default_place_is_the_users_configuration(monkeypatch, tmp_path):
    monkeypatch.delenv(calibration.VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(calibration.sys, "platform", "linux")
    assert calibration.path() == str(tmp_path / "convtool" / "calibration.json")


def test_processor_has_a_name(monkeypatch, tmp_path):
    assert calibration.cpu_model()
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nmodel name\t: Abacus 3000\n")
    monkeypatch.setattr(calibration, "_CPU_INFO", str(info))
    assert calibration.cpu_model() == "Abacus 3000"
    monkeypatch.setattr(calibration, "_CPU_INFO", str(tmp_path / "none"))
    assert calibration.cpu_model()
