"""How time grows with pixels and shrinks with threads, and how much memory the engines take.

Run ``python benchmarks/scaling.py``; it takes ``--threads``, ``--repeats`` and ``--json``. The
largest picture has 100 megapixels: 1 GB of memory has to be free.
"""

import sys

from suites.command import main
from suites.scaling import run_scaling

if __name__ == "__main__":
    sys.exit(main("scaling", run_scaling, __doc__, cells=False))
