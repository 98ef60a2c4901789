"""What tests of pictures share."""

import io
import warnings

import pytest

from convtool.errors import ImageReadError, ImageTooLargeError
from convtool.images.doors import child, wire
from convtool.images.doors.client import Request
from convtool.records import names_of


def sent(value):
    """Return a value as the other process receives it."""
    pipe = io.BytesIO()
    wire.send(pipe, value)
    pipe.seek(0)
    return wire.receive(pipe)


@pytest.fixture
def libraries_here(monkeypatch):
    """Call libraries in this process, by the same messages, so that their lines are counted."""

    def ask(request):
        received = Request(*sent(tuple(getattr(request, name) for name in names_of(Request))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind, answer = sent(child._answer(received))
        if kind == "done":
            return answer
        raise (ImageTooLargeError if kind == "too large" else ImageReadError)(answer)

    monkeypatch.setattr(child, "_limit", lambda more: None)
    monkeypatch.setattr("convtool.images.doors.codec.ask", ask)
