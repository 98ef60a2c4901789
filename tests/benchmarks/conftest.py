"""Imports the package ``suites`` as the scripts beside it do, without their folder on the path.

There, ``svd.py`` and others would hide folders of these tests.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

SUITES = Path(__file__).parents[2] / "benchmarks" / "suites" / "__init__.py"

spec = spec_from_file_location("suites", SUITES)
sys.modules["suites"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["suites"])
