"""The page's web server: on this machine alone, for whoever knows its address.

Every request needs the token in its path and the server's own name as its host, so that neither
another page in the browser nor a name that points at this machine reaches it. It answers GET alone,
reads no file and sets no header that would open it to other pages.
"""

import json
import secrets
import socketserver
import sys
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from convtool.errors import ConvtoolError, OptionError
from convtool.limits import is_want_of_memory
from convtool.report.view_page import view_part
from convtool.view.page import page_of
from convtool.view.screen import Box
from convtool.view.viewer import Viewer

HOST = "127.0.0.1"
MOST_REQUEST = 16384
"""The longest path and query of a request."""

_PATIENCE = 30
_FIELDS = 8
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Query = dict[str, str]


class Answer:
    """What is sent: bytes, their type, and the name of a file that is to be saved."""

    def __init__(self, body: bytes, kind: str, name: str | None = None) -> None:
        self.body, self.kind, self.name = body, kind, name


def _page(viewer: Viewer, query: Query) -> Answer:
    return Answer(page_of(viewer).encode(), "text/html; charset=utf-8")


def _script(viewer: Viewer, query: Query) -> Answer:
    return Answer(view_part("view.js"), "text/javascript; charset=utf-8")


def _style(viewer: Viewer, query: Query) -> Answer:
    return Answer(view_part("view.css"), "text/css; charset=utf-8")


def _before(viewer: Viewer, query: Query) -> Answer:
    return Answer(viewer.before(), "image/png")


def _after(viewer: Viewer, query: Query) -> Answer:
    return Answer(viewer.after(_settings(query)), "image/png")


def _part(viewer: Viewer, query: Query) -> Answer:
    names = ("left", "top", "width", "height")
    try:
        box = Box(*(int(query[name]) for name in names))
    except (KeyError, ValueError) as error:
        raise OptionError(f"a part needs whole numbers as {', '.join(names)}") from error
    return Answer(viewer.part(query.get("settings"), box), "image/png")


def _about(viewer: Viewer, query: Query) -> Answer:
    return _json(viewer.about(_settings(query)))


def _file(viewer: Viewer, query: Query) -> Answer:
    data, name = viewer.file(_settings(query))
    return Answer(data, "image/png" if name.endswith(".png") else "image/tiff", name)


_ROUTES: dict[str, Callable[[Viewer, Query], Answer]] = {
    "": _page,
    "view.js": _script,
    "view.css": _style,
    "before.png": _before,
    "after.png": _after,
    "part.png": _part,
    "about": _about,
    "file": _file,
}


def _query(text: str) -> Query:
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError as error:
        raise OptionError(f"a request has at most {_FIELDS} fields") from error
    return {name: values[-1] for name, values in fields.items()}


def _settings(query: Query) -> str:
    if "settings" not in query:
        raise OptionError("the settings are missing; reload the page")
    return query["settings"]


def _json(value: dict[str, Any]) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


class ViewServer(ThreadingHTTPServer):
    """Serves the page of a viewer to this machine.

    Parameters
    ----------
    viewer : Viewer
        The picture.
    port : int
        The port; 0 for a free one.

    Raises
    ------
    OSError
        If the port is taken; its ``filename`` is the address.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, viewer: Viewer, port: int = 0) -> None:
        self.viewer = viewer
        self.token = secrets.token_urlsafe(32)
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            error.filename = f"{HOST}:{port}"
            raise

    def server_bind(self) -> None:
        """Bind without looking up the machine's name, as the base class would."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a traceback, unless it is of a connection that the browser has closed."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The names that a request may call the server by."""
        port = self.server_address[1]
        return frozenset(f"{name}:{port}" for name in (HOST, "localhost"))

    @property
    def address(self) -> str:
        """The page's address, which contains the token."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: ViewServer
    timeout = _PATIENCE

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Return what answers a method: whoever lacks the token learns nothing by any of them."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._answer

    def _answer(self) -> None:
        if len(self.path) > MOST_REQUEST:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        address = urlsplit(self.path)
        token, slash, name = address.path.removeprefix("/").partition("/")
        if not self._may_ask(token):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif not slash or name not in _ROUTES:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.command != "GET":
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            self._send_answer(_ROUTES[name], address.query)

    def _may_ask(self, token: str) -> bool:
        hosts = self.headers.get_all("Host") or []
        known = len(hosts) == 1 and hosts[0].lower() in self.server.hosts
        given = token.encode("utf-8", "surrogateescape")
        return secrets.compare_digest(given, self.server.token.encode()) and known

    def _send_answer(self, route: Callable[[Viewer, Query], Answer], text: str) -> None:
        status = HTTPStatus.BAD_REQUEST
        try:
            answer = route(self.server.viewer, _query(text))
            status = HTTPStatus.OK
        except ConvtoolError as error:
            answer = _json({"error": self.server.viewer.wording(str(error))})
        except Exception as error:
            if not is_want_of_memory(error):
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
                raise
            message = "this takes more memory than there is; choose a smaller kernel"
            answer = _json({"error": message})
        self._send(status, answer)

    def _send(self, status: HTTPStatus, answer: Answer) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        if answer.name is not None:
            self.send_header(
                "Content-Disposition", f"attachment; filename*=UTF-8''{quote(answer.name)}"
            )
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send a short text, without what was asked for."""
        status = HTTPStatus(code)
        self.close_connection = True
        self._send(status, Answer(f"{status} {status.phrase}\n".encode(), "text/plain"))

    def version_string(self) -> str:
        """Name the program without the versions of Python."""
        return "convtool"

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the address is a secret."""
