"""The notebooks of ``examples/``, copied to where they become pages."""

from pathlib import Path

from _ext.fragments import write_text

ORDER = ("filters", "compression", "edge_network", "backpropagation", "course")
"""The order of the course; others follow."""

_INDEX = """# Notebooks

A course in five notebooks: filters and windows, the singular value decomposition and JPEG, a
network that learns an edge, back-propagation by hand, and the whole way from a window to a network.
They are in the folder `examples/` of the repository, and each runs in less than a minute (`pip
install jupyter`).

```{{toctree}}
:maxdepth: 1

{}
```
"""


def _place(path: Path) -> tuple[int, str]:
    place = ORDER.index(path.stem) if path.stem in ORDER else len(ORDER)
    return place, path.stem


def write(generated: Path) -> None:
    """Copy the notebooks, one folder deeper than they are written for, and list them."""
    docs = generated.parents[1]
    names = []
    for path in sorted((docs.parent / "examples").glob("*.ipynb"), key=_place):
        names.append(path.stem)
        text = path.read_text(encoding="utf-8").replace("../sample_images", "../../sample_images")
        write_text(docs / "notebooks" / path.name, text)
    write_text(docs / "notebooks" / "index.md", _INDEX.format("\n".join(names)))
