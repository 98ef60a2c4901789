"""Finding a cluster: what is said when there is none."""

import socket
import threading

import pytest

from convtool import extras
from convtool.distributed import connected, convolve, filter_files, local_cluster
from convtool.errors import ClusterError, OptionError
from convtool.filtering.job import FilterJob
from convtool.work.naming import Task


@pytest.fixture
def silent():
    """A port where somebody listens and never speaks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def talkative():
    """A port where something else answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.fixture
def nobody():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("who", ["silent", "talkative", "nobody"])
def test_no_scheduler_is_said_so(who, request):
    port = request.getfixturevalue(who)
    words = f"127.0.0.1:{port}: no Dask scheduler answers within 2 s"
    with (
        pytest.raises(ClusterError, match=words),
        connected(f"tcp://127.0.0.1:{port}", seconds=2),
    ):
        pass


@pytest.mark.parametrize("address", ["", "nonsense", "tcp://", "http://a:1", "a:b", "a:123456"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(OptionError, match="is not a scheduler's address"), connected(address):
        pass


def test_a_cluster_needs_a_worker():
    with pytest.raises(OptionError, match="at least 1"), local_cluster(0):
        pass


def enter(context):
    with context:
        pass


USES = {
    "local": lambda: enter(local_cluster(1)),
    "connected": lambda: enter(connected("127.0.0.1:1")),
    "convolve": lambda: convolve(None, "box"),
    "pictures": lambda: list(filter_files([Task("a.png", "b.png")], FilterJob(()), None)),
}


@pytest.mark.parametrize("use", USES)
def test_without_the_extra_it_is_said_what_to_install(use, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(OptionError, match=r"install: pip install 'convtool\[cluster\]'"):
        USES[use]()
