"""The module as SciPy's users see it: names, signatures, errors, and what `explain` says."""

import inspect
import threading

import numpy as np
import pytest
import scipy
import scipy.ndimage
from ndimage_cases import CALLS

import convtool.ndimage as ndi
from convtool import compiled
from convtool.ndimage import arguments

IMAGE = np.arange(5000.0).reshape(50, 100)


def parameters(module, name):
    found = inspect.signature(getattr(module, name)).parameters
    return [(key, one.kind, one.default) for key, one in found.items()]


@pytest.mark.parametrize("name", CALLS)
def test_signatures_are_those_of_scipy(name):
    ours, theirs = parameters(ndi, name), parameters(scipy.ndimage, name)
    if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 16):
        known = {key for key, *_ in theirs}
        ours = [one for one in ours if one[0] in known]
    assert ours == theirs


@pytest.mark.parametrize("name", CALLS)
def test_summaries_are_those_of_scipy(name):
    ours, theirs = (inspect.getdoc(getattr(module, name)) for module in (ndi, scipy.ndimage))
    assert ours.strip().splitlines()[0] == theirs.strip().splitlines()[0]


@pytest.mark.parametrize("name", CALLS)
def test_every_filter_is_public(name):
    assert name in ndi.__all__


def test_every_name_of_scipy_is_there():
    for name in scipy.ndimage.__all__:
        assert name in dir(ndi)
        if callable(getattr(scipy.ndimage, name)):  # once there were modules, too
            assert getattr(ndi, name).__name__ == name


@pytest.mark.parametrize("name", ["no_filter", "_ni_support", "zoomed"])
def test_a_name_that_scipy_lacks_is_an_error(name):
    with pytest.raises(AttributeError, match=name):
        getattr(ndi, name)


WRONG = [
    ("correlate1d", ([],), {}),
    ("correlate1d", ([1, 2, 3],), {"axis": 2}),
    ("correlate1d", ([1, 2, 3],), {"mode": "refelct"}),
    ("correlate1d", ([1, 2, 3],), {"origin": 2}),
    ("correlate1d", ([1, 2, 3],), {"output": np.zeros(3)}),
    ("correlate1d", ("text",), {}),
    ("correlate1d", ([[1, 2, 3]],), {}),
    ("correlate", ([1, 2, 3],), {}),
    ("correlate", (np.ones((3, 3)),), {"mode": ["reflect", "wrap"]}),
    ("correlate", (np.ones((3, 3)),), {"axes": (0, 0)}),
    ("correlate", (np.ones((3, 3)),), {"axes": (0, 5)}),
    ("convolve", (np.ones((3, 3)),), {"origin": (0, 2)}),
    ("gaussian_filter", ([1, 2, 3],), {}),
    ("gaussian_filter", (1,), {"order": -1}),
    ("gaussian_filter", (1,), {"radius": -1}),
    ("gaussian_filter", (1,), {"radius": 1.5}),
    ("gaussian_filter1d", (1,), {"mode": "wrong"}),
    ("gaussian_laplace", (1,), {"size": 3}),
    ("sobel", (), {"axis": 7}),
    ("uniform_filter", (3,), {"origin": 2}),
    ("uniform_filter", ((3, 3, 3),), {}),
    ("uniform_filter1d", (0,), {}),
    ("uniform_filter1d", (2.5,), {}),
]


@pytest.mark.parametrize(("name", "given", "options"), WRONG)
def test_errors_are_those_of_scipy(name, given, options):
    with pytest.raises(Exception) as theirs:  # noqa: PT011 -- whatever SciPy raises
        getattr(scipy.ndimage, name)(IMAGE, *given, **options)
    with pytest.raises(theirs.type) as ours:
        getattr(ndi, name)(IMAGE, *given, **options)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("dtype", ["float16", "complex64", ">f4", "longdouble", "U3", "O"])
def test_pixels_of_other_types_are_left_to_scipy(dtype):
    image = IMAGE.astype(dtype)
    found = []
    for module in (ndi, scipy.ndimage):
        try:
            found.append(module.sobel(image).tolist())
        except (RuntimeError, TypeError, ValueError) as error:
            found.append((type(error), str(error)))
    assert found[0] == found[1]
    assert ndi.explain().route == "scipy"


def test_explain_names_what_compiled_code_did():
    ndi.gaussian_filter(IMAGE, (2, 1))
    found = ndi.explain()
    assert (found.function, found.route, found.reason) == ("gaussian_filter", "compiled", "")
    assert found.steps == ("axis 0: 17 taps, symmetric", "axis 1: 9 taps, symmetric")
    assert repr(found) == (
        "gaussian_filter: compiled: axis 0: 17 taps, symmetric; axis 1: 9 taps, symmetric"
    )


def test_explain_says_why_scipy_did_it(monkeypatch):
    ndi.median_filter(IMAGE, 3)
    assert repr(ndi.explain()) == "median_filter: scipy: there is no faster way here"
    ndi.sobel(IMAGE + 1j)
    assert repr(ndi.explain()) == "sobel: scipy: complex128 pixels"
    monkeypatch.setattr(arguments, "SMALLEST", 10**6)
    ndi.sobel(IMAGE)
    assert repr(ndi.explain()) == "sobel: scipy: the array is small"
    monkeypatch.setattr(compiled, "is_ready", lambda: False)
    ndi.sobel(IMAGE)
    assert repr(ndi.explain()) == "sobel: scipy: there is no compiled library"


def test_processors_whose_sums_may_be_rounded_otherwise_leave_integers_to_scipy(monkeypatch):
    monkeypatch.setattr(arguments, "IS_EXACT", False)
    ndi.sobel(IMAGE.astype(np.uint8))
    assert ndi.explain().route == "scipy"
    ndi.sobel(IMAGE)
    assert ndi.explain().route == "compiled"


def test_each_thread_has_its_last_call():
    ndi.sobel(IMAGE)
    found = []

    def other():
        found.append(ndi.explain())
        ndi.prewitt(IMAGE)
        found.append(ndi.explain().function)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert found == [None, "prewitt"]
    assert ndi.explain().function == "sobel"


def test_many_threads_may_call_at_once():
    images = [np.random.default_rng(n).random((200, 300)) for n in range(8)]
    answers = [None] * len(images)

    def work(number):
        answers[number] = ndi.gaussian_filter(images[number], 2)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for image, answer in zip(images, answers, strict=True):
        np.testing.assert_array_equal(answer, scipy.ndimage.gaussian_filter(image, 2))
