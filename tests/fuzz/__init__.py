"""Fuzzing: ``python -m tests.fuzz --seconds N`` from the root of the checkout."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
