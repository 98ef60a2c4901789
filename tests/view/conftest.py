"""Pictures for the page with sliders."""

import numpy as np
import pytest

from convtool.images import samples
from convtool.images.image import Image
from convtool.images.write import write


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "my photo.png"
    write(path, np.ascontiguousarray(samples.load("photograph")[150:300, 100:300]))
    return path


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A picture that is shown reduced, with alpha."""
    path = tmp_path_factory.mktemp("view") / "large.png"
    rows, columns = np.mgrid[:1400, :2600]
    planes = [rows % 251, columns % 253, (rows + columns) % 255, columns % 200 + 50]
    write(path, Image(np.dstack(planes).astype(np.uint8), has_alpha=True))
    return path
