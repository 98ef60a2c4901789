"""JPEGs with restart markers are decoded in pieces: the pixels are those of one go."""

import cv2
import numpy as np
import pytest

from convtool.errors import ImageReadError
from convtool.images.codecs import jpeg, jpeg_restarts, opencv
from convtool.images.codecs.jpeg_segments import frame_of, segments
from convtool.images.options import ReadOptions

HEIGHT, WIDTH = 1003, 1301
SAMPLINGS = ("444", "440", "422", "420", "411")


def _file(interval, sampling="420", shape=(HEIGHT, WIDTH, 3), **more):
    rng = np.random.default_rng(interval)
    noise = rng.integers(0, 256, shape, np.uint8)
    pixels = cv2.GaussianBlur(noise, (0, 0), 2)
    options = {"RST_INTERVAL": interval, "SAMPLING_FACTOR": _factor(sampling), **more}
    flat = [n for name, value in options.items() for n in (opencv.constant(f"JPEG_{name}"), value)]
    return cv2.imencode(".jpg", pixels, flat)[1].tobytes()


def _factor(sampling):
    return opencv.constant(f"JPEG_SAMPLING_FACTOR_{sampling}")


def _in_pieces(file, monkeypatch, least=1 << 16):
    monkeypatch.setattr(jpeg_restarts, "_LEAST_PIXELS", least)
    _, _, height, width = _frame(file)
    return jpeg_restarts.decode(file, (height, width), 2, opencv.decode_each)


def _frame(file):
    start = frame_of(segments(file)).start
    height, width = (int.from_bytes(file[start + n : start + n + 2], "big") for n in (1, 3))
    return start, file[start], height, width


def _in_one_go(file):
    return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("rows", ["a row", "three rows", "a third", "odd"])
def test_pieces_give_the_pixels_of_one_go(sampling, rows, monkeypatch):
    across = -(-WIDTH // {"444": 8, "440": 8, "422": 16, "420": 16, "411": 32}[sampling])
    interval = {"a row": across, "three rows": 3 * across, "a third": across // 3, "odd": 7}[rows]
    file = _file(interval, sampling)
    pixels = _in_pieces(file, monkeypatch)
    if rows == "odd" and sampling != "411":  # it meets the rows' ends too rarely to be of use
        assert pixels is None or np.array_equal(pixels, _in_one_go(file))
        return
    assert pixels is not None
    np.testing.assert_array_equal(pixels, _in_one_go(file))


@pytest.mark.parametrize(
    ("large", "names"),
    [(0, opencv._OPEN_FILES), (1 << 60, opencv._OPEN_FILES), (0, "/no/such/folder")],
    ids=["named in memory", "from memory", "without names"],
)
def test_all_ways_of_decoding_agree(large, names, monkeypatch):
    monkeypatch.setattr(opencv, "LARGE", large)
    monkeypatch.setattr(opencv, "_OPEN_FILES", names)
    file = _file(-(-WIDTH // 16))
    np.testing.assert_array_equal(_in_pieces(file, monkeypatch), _in_one_go(file))
    pixels, remarks = opencv.decode(file, uint8_size=(HEIGHT, WIDTH))
    assert remarks == ""
    np.testing.assert_array_equal(pixels, _in_one_go(file))


@pytest.mark.parametrize(
    "file",
    [
        _file(0),
        _file(82, PROGRESSIVE=1),
        _file(82, shape=(60, 80, 3)),
        _file(1, "444", (1200, 1300, 3)),
    ],
    ids=["no markers", "progressive", "small", "too many markers"],
)
def test_others_are_left_to_one_go(file, monkeypatch):
    assert _in_pieces(file, monkeypatch) is None


def test_one_thread_has_one_go():
    file = _file(82)
    assert jpeg_restarts.decode(file, (HEIGHT, WIDTH), 1, opencv.decode_each) is None


def _markers(file):
    scan = segments(file)[-1].end
    return [
        at for at in range(scan, len(file) - 1) if file[at] == 0xFF and 0 < file[at + 1] not in (0,)
    ]


class TestDamage:
    """Whatever is wrong with a file is found and said as it is in one go."""

    @pytest.fixture(autouse=True)
    def _small_pieces(self, monkeypatch):
        monkeypatch.setattr(jpeg_restarts, "_LEAST_PIXELS", 1 << 16)
        monkeypatch.setattr(opencv, "usable_threads", lambda: 2)

    def _decode(self, file):
        return jpeg.decode(file, jpeg.inspect(file), ReadOptions())

    def _assert_alike(self, file, monkeypatch):
        pieces, whole = self._outcome(file), None
        with monkeypatch.context() as patch:
            patch.setattr(opencv, "usable_threads", lambda: 1)
            whole = self._outcome(file)
        assert pieces[1] == whole[1]
        np.testing.assert_array_equal(pieces[0], whole[0])

    def _outcome(self, file):
        try:
            decoded = self._decode(file)
        except ImageReadError as error:
            return np.zeros(0), str(error)
        return decoded.pixels, decoded.notes

    def test_a_marker_that_is_missing(self, monkeypatch):
        file = _file(82)
        at = _markers(file)[20]
        broken = file[:at] + file[at + 2 :]
        assert jpeg_restarts.scan_of(broken, WIDTH) is None
        self._assert_alike(broken, monkeypatch)

    @pytest.mark.parametrize("sampling", ["420", "444"])
    @pytest.mark.slow
    def test_bytes_anywhere_in_the_scan(self, sampling, monkeypatch):
        sound = _file(82 if sampling == "420" else 163, sampling)
        rng = np.random.default_rng(5)
        start, said = segments(sound)[-1].end, set()
        for _ in range(30):
            file = bytearray(sound)
            for _ in range(rng.integers(1, 4)):
                at, length = rng.integers(start, len(file) - 9), rng.integers(1, 9)
                file[at : at + length] = rng.integers(0, 255, length, np.uint8).tobytes()
            self._assert_alike(bytes(file), monkeypatch)
            said.add(str(self._outcome(bytes(file))[1])[:20])
        assert len(said) > 1

    @pytest.mark.parametrize("number", range(24, 32))
    def test_bytes_before_a_marker(self, number, monkeypatch):
        file = bytearray(_file(82))
        at = _markers(file)[number]
        file[at:at] = b"left over"
        self._assert_alike(bytes(file), monkeypatch)
        assert "extraneous bytes" in str(self._outcome(bytes(file))[1])

    def test_a_marker_of_another_number(self):
        file = bytearray(_file(82))
        file[_markers(file)[20] + 1] ^= 1
        assert jpeg_restarts.scan_of(bytes(file), WIDTH) is None

    def test_an_end_that_is_missing(self):
        file = _file(82)
        with pytest.raises(ImageReadError, match="is cut off"):
            self._decode(file[:-2])

    @pytest.mark.parametrize("factors", [0x00, 0x01, 0x10, 0x52, 0xFF])
    def test_factors_that_no_file_has(self, factors):
        file = bytearray(_file(82))
        file[_frame(file)[0] + 7] = factors
        assert jpeg_restarts.scan_of(bytes(file), WIDTH) is None

    def test_a_size_that_so_few_bytes_cannot_hold_is_refused_before_any_work(self, monkeypatch):
        file = _file(82)
        sound = segments(file)
        head = bytearray(file[: sound[-1].end])
        start = _frame(file)[0]
        head[start + 1 : start + 5] = (40_000).to_bytes(2, "big") * 2
        at = next(one.start for one in sound if one.marker == 0xDD)
        head[at : at + 2] = (2500 * 10).to_bytes(2, "big")  # ten rows of blocks of 16 × 16
        marks = b"".join(bytes((0xFF, 0xD0 + n % 8)) for n in range(249))
        bomb = bytes(head) + marks + b"\xff\xd9"
        assert jpeg_restarts.scan_of(bomb, 40_000) is not None
        monkeypatch.setattr(opencv, "decode_each", lambda pieces: pytest.fail("it was decoded"))
        with pytest.raises(ImageReadError, match="bytes cannot hold 40000×40000 pixels"):
            self._decode(bomb)

    def test_a_height_of_fewer_rows(self):
        file = bytearray(_file(82))
        start = _frame(file)[0]
        file[start + 1 : start + 3] = (500).to_bytes(2, "big")
        assert jpeg_restarts.scan_of(bytes(file), WIDTH) is None
