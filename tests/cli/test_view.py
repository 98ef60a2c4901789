"""``convtool view`` as a real process: its address, its end, its errors."""

import json
import os
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from urllib.parse import quote

import numpy as np
import pytest
from processes import started

from convtool.cli import run
from convtool.images.write import write

FIRST = {"kernels": [{"preset": "unsharp", "values": {"amount": "2"}}], "border": "wrap"}


@pytest.fixture
def photo(folder, rng):
    write("photo.png", rng.integers(0, 256, (40, 50, 3)).astype(np.uint8))
    return "photo.png"


def viewing(*arguments):
    """Start the command; return the process and the address that it prints."""
    process = started("view", *arguments, stdout=subprocess.PIPE)
    return process, process.stdout.readline().decode().strip()


def get(address):
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_address_is_printed_and_ctrl_c_ends_it(photo, number):
    process, address = viewing(photo, "-k", "unsharp:amount=2", "--page", "1")
    try:
        assert address.startswith("http://127.0.0.1:")
        page = get(address).decode()
        text = page.partition('id="data">')[2].partition("</script>")[0]
        asked = json.loads(text)["settings"]
        assert asked["kernels"] == FIRST["kernels"]
        query = f"settings={quote(json.dumps(asked | FIRST))}"
        words = shlex.split(json.loads(get(f"{address}about?{query}"))["command"])
        assert words[2:-2] == ["-k", "unsharp:amount=2", "--border", "wrap", "--page", "1"]
        assert run(words[1:]) == 0
        with open(words[-1], "rb") as file:
            assert file.read() == get(f"{address}file?{query}")
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(address[:-5])
        assert refused.value.code == 403
        refused.value.close()
    finally:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert err == b"convtool: photo.png is served at this address; Ctrl-C ends it\n"


def test_it_listens_to_this_machine_alone(photo):
    process, address = viewing(photo)
    try:
        port = int(address.split(":")[2].split("/")[0])
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", port)) != 0
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_taken_port_is_named(photo, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["view", photo, "--port", str(port)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"convtool: error: 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-"], 2, "name a file"),
        (["nothing.png"], 1, "nothing.png"),
        (["photo.png", "-k", "gausian"], 2, "did you mean gaussian"),
        (["photo.png", "--port", "0"], 2, "--port"),
        (["photo.png", "--page", "2"], 1, "page"),
    ],
)
def test_errors_are_one_line(photo, arguments, code, words, capsys):
    assert run(["view", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err


def test_a_request_under_way_does_not_delay_the_end(photo):
    process, address = viewing(photo)
    with socket.create_connection(("127.0.0.1", int(address.split(":")[2].split("/")[0]))) as half:
        half.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.2)
        start = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - start < 20


def test_warnings_name_the_commands_options(photo):
    process, address = viewing(photo)
    try:
        asked = {"kernels": [{"preset": "sobel", "values": {"scale": "3"}}]}
        found = json.loads(get(f"{address}about?settings={quote(json.dumps(asked))}"))
        assert "--range stretch" in found["warnings"][0]
        assert "`" not in found["warnings"][0]
    finally:
        process.terminate()
        process.communicate(timeout=30)
