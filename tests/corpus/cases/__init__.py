"""Every case, by format."""

from . import jpeg, png

MODULES = (jpeg, png)
CASES = {case.name: case for module in MODULES for case in module.cases.cases}
