"""What the tests of ``convtool.ndimage`` share."""

import pytest

from convtool import compiled
from convtool.ndimage import arguments


@pytest.fixture(autouse=True)
def by_compiled_code(monkeypatch):
    """Have arrays of any size done by compiled code, compiled at use where none was built."""
    monkeypatch.setattr(arguments, "SMALLEST", 1)
    monkeypatch.setattr(compiled, "is_ready", lambda: True)
