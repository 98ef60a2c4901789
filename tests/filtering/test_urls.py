"""Pictures and stores at URLs: a web server and an object store on this machine, and zip files."""

import http.server
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path

import fsspec
import numpy as np
import pytest
import tifffile
import zarr
from moto.server import ThreadedMotoServer

from convtool import extras
from convtool.cli import run
from convtool.errors import ImageReadError
from convtool.filtering.memory import FilterOptions, filter_image
from convtool.images import remote
from convtool.images.image import as_image
from convtool.images.read import read
from convtool.images.stores.zarr_target import RemoteStore
from convtool.images.stores.zarr_writer import ZarrStore
from convtool.images.write import write

ROOT = Path(__file__).parents[2]
SHAPE = (300, 200)
BOX = ["filter", "-k", "box"]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, and some that no file is like."""

    def log_message(self, *told):
        """Say nothing."""

    def do_GET(self):
        """Answer a request for a file."""
        odd = getattr(self, f"send_{Path(self.path).stem}", None)
        try:
            return super().do_GET() if odd is None else odd()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _begin(self, *headers):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"\x89PNG\r\n\x1a\n" + bytes(200))

    def send_endless(self):
        """Send no length, and no end."""
        self._begin()
        for _ in range(1 << 10):
            self.wfile.write(bytes(1 << 16))

    def send_silent(self):
        """Send a beginning and nothing more."""
        self._begin(("Content-Length", "100000"))
        self.server.over.wait(20)

    def send_slow(self):
        """Send a byte now and then."""
        self._begin(("Content-Length", "100000"))
        while not self.server.over.wait(0.1):
            self.wfile.write(b"\0")

    def send_short(self):
        """Send less than was said."""
        self._begin(("Content-Length", "100000"))
        self.close_connection = True


@pytest.fixture
def web(tmp_path):
    """Serve the folder ``web``; return its URL."""
    (tmp_path / "web").mkdir()
    handler = partial(Handler, directory=tmp_path / "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.over = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def objects():
    """Run an object store, and name it as its users do: by the environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patched.setenv("AWS_ACCESS_KEY_ID", "name")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "word")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        system = fsspec.filesystem("s3")
        system.mkdir("scans")
        yield system
        system.clear_instance_cache()
    server.stop()


@pytest.fixture
def bucket(objects):
    """Return the object store with an empty bucket ``scans``."""
    objects.invalidate_cache()
    for path in objects.find("scans"):
        objects.rm_file(path)
    return objects


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    yield
    assert not os.listdir(tmp_path / "temporary")


@pytest.fixture
def pixels():
    """Some noise."""
    return np.random.default_rng(2).integers(0, 256, SHAPE, np.uint8)


@pytest.fixture
def filtered(pixels):
    """What a box makes of it."""
    return filter_image(as_image(pixels), ("box",), FilterOptions()).image.pixels


def _store(name, pixels, **how):
    made = zarr.create_array(name, shape=pixels.shape, dtype="u1", **({"chunks": (64, 64)} | how))
    made[:] = pixels


def test_pictures_are_read_over_http(web, pixels, filtered, capsys):
    write("web/a.png", pixels)
    assert np.array_equal(read(f"{web}/a.png").pixels, pixels)
    assert run([*BOX, f"{web}/a.png", "out.png"]) == 0
    assert np.array_equal(read("out.png").pixels, filtered)
    assert run(["info", f"{web}/a.png?version=1"]) == 0
    assert capsys.readouterr().out.startswith(f"{web}/a.png?version=1: PNG, 200×300")
    assert run([*BOX, f"{web}/b.png", "out.png"]) == 1
    assert capsys.readouterr().err == f"convtool: error: {web}/b.png: there is no such file\n"


def test_a_tiff_is_read_over_http_strip_by_strip(web, pixels, filtered, capsys):
    tifffile.imwrite("web/a.tif", pixels, metadata=None)
    assert run([*BOX, "--pyramid", f"{web}/a.tif", "out.tif"]) == 0
    with tifffile.TiffFile("out.tif") as file:
        assert np.array_equal(file.asarray(), filtered)
    Path("web/b.tif").write_bytes(Path("web/a.tif").read_bytes()[:100])
    assert run([*BOX, "--pyramid", f"{web}/b.tif", "out.tif"]) == 1
    assert f"convtool: error: {web}/b.tif: " in capsys.readouterr().err


@pytest.mark.parametrize("how", [{}, {"chunks": (16, 16), "shards": (64, 64)}, {"zarr_format": 2}])
def test_a_store_is_read_over_http(how, web, pixels, filtered):
    _store("web/a.zarr", pixels, **how)
    assert run([*BOX, f"{web}/a.zarr", "out.zarr"]) == 0
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], filtered)


def test_a_chunk_that_a_web_server_does_not_have_is_missing(web, pixels, capsys):
    _store("web/a.zarr", pixels)
    os.remove("web/a.zarr/c/1/2")
    assert run([*BOX, f"{web}/a.zarr", "out.zarr"]) == 1
    assert "a.zarr: the chunk c/1/2 is missing\n" in capsys.readouterr().err
    assert run([*BOX, "--missing-chunks", "fill", f"{web}/a.zarr", "out.zarr"]) == 0
    pixels[64:128, 128:192] = 0
    expected = filter_image(as_image(pixels), ("box",), FilterOptions()).image.pixels
    assert np.array_equal(zarr.open("out.zarr", mode="r")[:], expected)


def test_a_tiff_goes_from_an_object_store_to_another_place_in_it(bucket, pixels, filtered):
    tifffile.imwrite("a.tif", pixels, metadata=None)
    bucket.put_file("a.tif", "scans/a.tif")
    assert run([*BOX, "s3://scans/a.tif", "s3://scans/b.tif"]) == 0
    bucket.get_file("scans/b.tif", "b.tif")
    assert np.array_equal(tifffile.imread("b.tif"), filtered)


@pytest.mark.parametrize("options", [[], ["--pyramid"]], ids=["array", "levels"])
def test_a_store_goes_to_an_object_store(options, bucket, pixels, filtered, monkeypatch):
    """What makes a reader take it for a store arrives when all else is there."""
    _store("a.zarr", pixels, chunks=(64, 64), shards=(128, 128))
    bucket.put("a.zarr", "scans/a.zarr", recursive=True)
    sent, ordinary = [], RemoteStore._pipe
    monkeypatch.setattr(
        RemoteStore, "_pipe", lambda self, key, data: (sent.append(key), ordinary(self, key, data))
    )
    assert run([*BOX, *options, "s3://scans/a.zarr", "s3://scans/b.zarr"]) == 0
    described = [key.endswith("zarr.json") for key in sent]
    assert described == sorted(described)
    assert sent[-1] == "zarr.json"
    bucket.get("scans/b.zarr", "b.zarr", recursive=True)
    found = zarr.open("b.zarr", mode="r")
    assert np.array_equal(found["0"][:] if options else found[:], filtered)


def test_a_store_that_is_not_complete_is_removed(bucket, pixels, monkeypatch, capsys):
    _store("a.zarr", pixels)
    ordinary = ZarrStore.put

    def put(self, level, plane, first, rows):
        if first:
            raise OSError("the line is cut")
        ordinary(self, level, plane, first, rows)

    monkeypatch.setattr(ZarrStore, "put", put)
    assert run([*BOX, "a.zarr", "s3://scans/b.zarr"]) == 1
    assert not bucket.find("scans/b.zarr")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_that_is_there_stays_when_filtering_fails(bucket, capsys):
    bucket.pipe_file("scans/a.tif", b"II*\0 and nothing more")
    bucket.pipe_file("scans/b.tif", b"old")
    assert run([*BOX, "s3://scans/a.tif", "s3://scans/b.tif"]) == 1
    assert capsys.readouterr().err.startswith("convtool: error: s3://scans/a.tif: ")
    assert bucket.cat_file("scans/b.tif") == b"old"
    assert run([*BOX, "--no-clobber", "s3://scans/a.tif", "s3://scans/b.tif"]) == 0
    assert capsys.readouterr().err == "convtool: skipped: s3://scans/b.tif exists\n"


def test_an_object_that_is_no_chunk_is_read_no_further(bucket, pixels, capsys):
    _store("a.zarr", pixels)
    bucket.put("a.zarr", "scans/a.zarr", recursive=True)
    bucket.pipe_file("scans/a.zarr/c/0/0", bytes(1 << 20))
    assert run([*BOX, "s3://scans/a.zarr", "out.zarr"]) == 1
    assert "c/0/0 has 1048576 bytes; by the metadata, 70656 at most" in capsys.readouterr().err


@pytest.mark.parametrize("source", ["a.zarr", "a.png"])
def test_zip_files_hold_stores(source, pixels, filtered, capsys):
    _store("a.zarr", pixels)
    write("a.png", pixels)
    assert run([*BOX, source, "b.zarr.zip"]) == 0
    with zipfile.ZipFile("b.zarr.zip") as file:
        assert "zarr.json" in file.namelist()
    with zarr.storage.ZipStore("b.zarr.zip", mode="r") as store:
        assert np.array_equal(zarr.open(store, mode="r")[:], filtered)
    assert sorted(os.listdir()) == ["a.png", "a.zarr", "b.zarr.zip", "temporary"]
    assert run(["filter", "-k", "identity", "b.zarr.zip", "c.zarr"]) == 0
    assert np.array_equal(zarr.open("c.zarr", mode="r")[:], filtered)
    assert run([*BOX, source, "b.zarr.zip"]) == 1
    assert "b.zarr.zip: exists; --overwrite replaces it" in capsys.readouterr().err
    assert run(["filter", "-k", "identity", "--overwrite", source, "b.zarr.zip"]) == 0
    with zarr.storage.ZipStore("b.zarr.zip", mode="r") as store:
        assert np.array_equal(zarr.open(store, mode="r")[:], pixels)


def test_zip_files_that_are_none_are_refused(pixels, capsys):
    _store("a.zarr", pixels)
    Path("b.zarr.zip").write_bytes(b"PK and nothing more")
    assert run([*BOX, "b.zarr.zip", "out.zarr"]) == 1
    assert "b.zarr.zip: is no zip file, or damaged: " in capsys.readouterr().err
    with zipfile.ZipFile("c.zarr.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.write("a.zarr/zarr.json", "zarr.json")
        for row, column in np.ndindex(5, 4):
            file.writestr(f"c/{row}/{column}", bytes(1 << (16 if row or column else 24)))
    assert run([*BOX, "c.zarr.zip", "out.zarr"]) == 1
    assert "c/0/0 has 16777216 bytes; by the metadata, 70656 at most" in capsys.readouterr().err


def test_zip_files_go_to_and_come_from_an_object_store(bucket, pixels, filtered):
    _store("a.zarr", pixels)
    shutil.make_archive("a.zarr", "zip", ".", "a.zarr")
    bucket.put_file("a.zarr.zip", "scans/a.zarr.zip")
    assert run([*BOX, "s3://scans/a.zarr.zip", "s3://scans/b.zarr.zip"]) == 0
    bucket.get_file("scans/b.zarr.zip", "b.zarr.zip")
    with zarr.storage.ZipStore("b.zarr.zip", mode="r") as store:
        assert np.array_equal(zarr.open(store, mode="r")[:], filtered)


def test_file_urls_name_files_of_this_machine(tmp_path, pixels, filtered, capsys):
    write("a b.png", pixels)
    assert run([*BOX, f"file://{tmp_path}/a%20b.png", f"file://{tmp_path}/c.png"]) == 0
    assert np.array_equal(read(f"file://{tmp_path}/c.png").pixels, filtered)
    write(f"file://localhost{tmp_path}/d.png", pixels)
    assert np.array_equal(read("d.png").pixels, pixels)
    assert run([*BOX, "file://elsewhere/a.png", "c.png"]) == 2
    assert "names a file of another machine" in capsys.readouterr().err


def test_a_url_that_never_ends_is_read_up_to_a_limit(web, monkeypatch, capsys):
    monkeypatch.setattr(remote, "UNSTATED", 1 << 20)
    for line in ([*BOX, f"{web}/endless.png", "out.png"], ["info", f"{web}/endless.png"]):
        assert run(line) == 1
        said = capsys.readouterr().err
        assert "endless.png: has more than 1048576 bytes, the limit for a file at a URL" in said
        assert said.count("\n") == 1


def test_max_memory_limits_what_is_fetched(web, pixels, capsys):
    write("web/a.png", pixels)
    with pytest.raises(ImageReadError, match="has more than 1000 bytes"):
        read(f"{web}/a.png", max_memory=1000)
    assert run([*BOX, "--max-memory", "1K", f"{web}/a.png", "out.png"]) == 1
    assert "more than" in capsys.readouterr().err


def test_a_server_that_says_nothing_is_given_up(web, monkeypatch, capsys):
    monkeypatch.setattr(remote, "SILENCE", 0.3)
    assert run([*BOX, f"{web}/silent.png", "out.png"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"convtool: error: {web}/silent.png: cannot be read: ")
    assert said.count("\n") == 1


def test_a_file_that_ends_too_early_is_refused(web, capsys):
    assert run([*BOX, f"{web}/short.png", "out.png"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"convtool: error: {web}/short.png: cannot be read: ")
    assert said.count("\n") == 1


def test_a_file_is_only_fetched_where_there_is_room(web, pixels, monkeypatch, capsys):
    write("web/a.png", pixels)
    little = shutil.disk_usage(".")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: little)
    assert run([*BOX, f"{web}/a.png", "out.png"]) == 1
    assert "a.png: has more than 1000 bytes" in capsys.readouterr().err


def test_timeout_ends_a_slow_download_and_leaves_nothing(web, tmp_path):
    line = ["filter", "-k", "box", "--timeout", "3", f"{web}/slow.png", "out.png"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run(
        [sys.executable, "-m", "convtool", *line], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"took longer than 3 s; --timeout sets the limit" in done.stderr
    assert not Path("out.png").exists()


REFUSALS = {
    "resume to": (["--resume", "a.zarr", "s3://scans/b.zarr"], "--resume is for stores on this"),
    "resume from": (["--resume", "s3://scans/a.tif", "b.zarr"], "--resume cannot tell whether"),
    "times": (["--keep-times", "s3://scans/a.png", "b.png"], "a URL has no time of change"),
    "batch": (["s3://scans/a.png", "a.png", "out/"], "a URL is read and written alone"),
    "folder": (["a.png", "s3://scans/out/"], "a URL is read and written alone"),
    "cluster": (["--workers", "1", "a.zarr", "s3://scans/b.zarr"], "of URLs, a cluster only"),
    "protocol": (["odd://scans/a.png", "b.png"], "is no URL that is read"),
    "web": (["a.zarr", "http://127.0.0.1:9/b.zarr"], "is not written by HTTP"),
}


@pytest.mark.parametrize(("line", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_urls_do_not_do_is_refused_in_one_line(line, words, pixels, capsys):
    _store("a.zarr", pixels)
    write("a.png", pixels)
    assert run([*BOX, *line]) in (1, 2)
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_stores_that_are_there_are_not_replaced(bucket, pixels, capsys):
    _store("a.zarr", pixels)
    bucket.pipe_file("scans/b.zarr/zarr.json", b"{}")
    assert run([*BOX, "--overwrite", "a.zarr", "s3://scans/b.zarr"]) == 1
    assert "s3://scans/b.zarr: exists; a store at a URL is not" in capsys.readouterr().err
    assert run([*BOX, "a.zarr", "s3://no-bucket/b.zarr"]) == 1
    assert "s3://no-bucket/b.zarr: cannot be written: " in capsys.readouterr().err
    assert run([*BOX, "s3://scans/c.zarr", "b.zarr"]) == 1
    assert "there is no Zarr array or group" in capsys.readouterr().err


def test_other_commands_read_and_write_urls(bucket, web, pixels, capsys):
    write("web/a.png", pixels)
    bucket.put_file("web/a.png", "scans/a.png")
    assert run(["compare", f"{web}/a.png", "s3://scans/a.png"]) == 0
    assert "∞" in capsys.readouterr().out
    assert run(["svd", "--k", "5", "--output", "s3://scans/b.png", f"{web}/a.png"]) == 0
    assert bucket.cat_file("scans/b.png").startswith(b"\x89PNG")
    line = ["deconvolve", "-k", "gaussian:sigma=1", "s3://scans/a.png", "s3://scans/c.png"]
    assert run(line) == 0
    assert bucket.cat_file("scans/c.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("line", [["http://a/b.png", "c.png"], ["a.png", "s3://a/b.png"]])
def test_without_the_extra_a_url_names_it(line, pixels, monkeypatch, capsys):
    write("a.png", pixels)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    assert run([*BOX, *line]) == 2
    assert capsys.readouterr().err == (
        "convtool: error: URLs need fsspec; install: pip install 'convtool[remote]'\n"
    )
