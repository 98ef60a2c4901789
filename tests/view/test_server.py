"""Who is answered, and what."""

import http.client
import json
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from view_server import serving

from convtool.cli import run
from convtool.images.formats import format_for
from convtool.images.image import Image
from convtool.images.options import ReadOptions
from convtool.images.read import read
from convtool.images.write import write
from convtool.view.server import MOST_REQUEST

BOX = {"kernels": [{"preset": "box", "values": {"size": "5"}}]}
EDGES = {"kernels": [{"preset": "sobel", "values": {}}], "gray": True, "border": "wrap"}


@pytest.fixture(scope="module")
def server(photo):
    with serving(photo, "gaussian:sigma=2") as running:
        yield running


def ask(server, path, *, method="GET", headers=None, body=None):
    """Return status, headers and body of an answer; a path that begins with / is taken as it is."""
    address = urlsplit(server.address)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    whole = path if path.startswith("/") else address.path + path
    connection.putrequest(method, whole, skip_host=bool(headers))
    for name, value in headers or []:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def settings(asked):
    return f"settings={quote(json.dumps(asked))}"


def decoded(png):
    codec = format_for("a.png").load()
    return codec.decode(png, codec.inspect(png), ReadOptions()).pixels


def test_the_page_and_its_parts_are_served(server):
    status, headers, body = ask(server, "")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"<h1>my photo.png</h1>" in body
    for name, kind in (("view.js", "text/javascript"), ("view.css", "text/css")):
        status, headers, body = ask(server, name)
        assert status == 200
        assert headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert len(body) > 1000


def test_every_answer_is_closed_to_other_pages(server):
    for path in ("", "nothing", "/", "before.png", "about?settings="):
        _, headers, _ = ask(server, path)
        policy = headers["Content-Security-Policy"].split("; ")
        assert policy[0] == "default-src 'none'"
        assert not any("unsafe" in rule or "http" in rule or "*" in rule for rule in policy)
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert headers["Server"] == "convtool"


@pytest.mark.parametrize(
    "path", ["/", "/x/", "/{half}/", "/{token}x/", "/before.png", "/%2e%2e/{token}/"]
)
def test_without_the_token_it_is_forbidden(server, path):
    asked = path.format(token=server.token, half=server.token[:20])
    assert ask(server, asked)[0] == 403
    for method in ("POST", "HEAD", "OPTIONS", "BREW"):
        assert ask(server, asked, method=method)[0] == 403


def test_tokens_are_long_and_differ(server, photo):
    with serving(photo, "box") as other:
        assert other.token != server.token
        assert len(other.token) >= 43


@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example"],
        ["127.0.0.1"],
        ["127.0.0.1:1"],
        ["localhost.evil.example:{port}"],
        ["127.0.0.1:{port}", "evil.example"],
        [],
    ],
)
def test_another_host_is_forbidden(server, hosts):
    port = server.server_address[1]
    headers = [("Host", host.format(port=port)) for host in hosts] or [("Accept", "*/*")]
    assert ask(server, "", headers=headers)[0] == 403


def test_this_machine_has_two_names(server):
    port = server.server_address[1]
    for host in (f"127.0.0.1:{port}", f"LocalHost:{port}"):
        assert ask(server, "", headers=[("Host", host)])[0] == 200
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path", ["nothing", "view.html", "../view.js", "../../etc/passwd", "/{token}", "%2fetc/passwd"]
)
def test_other_paths_are_not_found(server, path):
    assert ask(server, path.format(token=server.token))[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(server, method):
    status, headers, _ = ask(server, "about", method=method)
    assert (status, headers["Allow"]) == (405, "GET")


def test_long_requests_are_refused(server):
    assert ask(server, f"about?settings={'x' * MOST_REQUEST}")[0] == 414
    many = "&".join(f"a{i}=1" for i in range(50))
    assert ask(server, f"about?{many}")[0] == 400


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("about", "settings are missing"),
        ("after.png?settings={}", "settings"),
        (f"file?{settings({'kernels': [{'preset': 'a.csv', 'values': {}}]})}", "is no preset"),
        ("part.png?left=0&top=0&width=9999&height=1", "1 to 1024 pixels a side"),
        ("part.png?left=200&top=0&width=9&height=9", "lies in the picture"),
        ("part.png?left=a&top=0&width=9&height=9", "whole numbers"),
        (f"about?{settings(BOX | {'engine': 'opencv', 'border': 'no'})}", "border"),
    ],
)
def test_what_cannot_be_asked_is_said(server, path, words):
    status, headers, body = ask(server, path)
    assert (status, headers["Content-Type"]) == (400, "application/json")
    assert words in json.loads(body)["error"]


@pytest.mark.parametrize("asked", [BOX, EDGES])
def test_the_picture_is_what_the_command_writes(server, photo, asked, tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    about = json.loads(ask(server, f"about?{settings(asked)}")[2])
    words = shlex.split(about["command"])
    assert words[:2] == ["convtool", "filter"]
    assert words[-2:] == [str(photo), "my photo-filtered.png"]
    assert run(words[1:]) == 0
    written = (tmp_path / words[-1]).read_bytes()
    _, headers, saved = ask(server, f"file?{settings(asked)}")
    assert saved == written
    assert "my%20photo-filtered.png" in headers["Content-Disposition"]
    pixels = read(words[-1]).pixels
    assert np.array_equal(decoded(ask(server, f"after.png?{settings(asked)}")[2]), pixels)
    part = ask(server, f"part.png?left=30&top=20&width=64&height=50&{settings(asked)}")[2]
    assert np.array_equal(decoded(part), pixels[20:70, 30:94])


def test_steps_name_engines_and_sizes(server):
    found = json.loads(ask(server, f"about?{settings(BOX | {'engine': 'fft'})}")[2])
    (step,) = found["steps"]
    assert (step["kernel"], step["size"], step["engine"]) == ("box:size=5", "5×5", "fft")
    assert step["seconds"] > 0


def test_large_pictures_are_reduced_and_their_parts_are_not(large):
    picture = read(large)
    with serving(large, "identity") as server:
        shown = decoded(ask(server, "before.png")[2])
        assert shown.shape == (466, 866, 4)
        same = settings({"kernels": [{"preset": "identity", "values": {}}]})
        assert np.array_equal(decoded(ask(server, f"after.png?{same}")[2]), shown)
        for asked in ("", f"&{same}"):
            part = ask(server, f"part.png?left=2000&top=1300&width=300&height=400{asked}")[2]
            assert np.array_equal(decoded(part), picture.pixels[1300:, 2000:2300])


def test_floats_are_saved_as_tiff(tmp_path):
    path = tmp_path / "height.tif"
    write(path, Image(np.linspace(0, 300, 48, dtype=np.float32).reshape(6, 8)))
    with serving(path, "box") as server:
        status, headers, body = ask(server, f"file?{settings(BOX)}")
        assert (status, headers["Content-Type"]) == (200, "image/tiff")
        (tmp_path / "a.tif").write_bytes(body)
        assert run(["filter", "-k", "box:size=5", str(path), str(tmp_path / "b.tif")]) == 0
        assert np.array_equal(read(tmp_path / "a.tif").pixels, read(tmp_path / "b.tif").pixels)
        assert b"white is 300 on this page" in ask(server, "")[2]
