"""A server of the page with sliders, for tests."""

import threading
from contextlib import contextmanager

from convtool.images.kernels import kernel_spec
from convtool.images.read import read_single
from convtool.view.server import ViewServer
from convtool.view.viewer import Viewer


@contextmanager
def serving(path, *specs):
    """Serve the page of a file."""
    viewer = Viewer(read_single(path), str(path), [kernel_spec(spec) for spec in specs])
    with ViewServer(viewer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
