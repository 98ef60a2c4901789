"""Every work against its opponents: the ratios that the README quotes.

Run ``python benchmarks/peers.py``; options narrow it down, as in ``--works dense,box --sizes
1080x1920 --kernels 3,7``. The whole takes about a quarter of an hour.
"""

import sys

from suites.command import main
from suites.duels import run_peers

if __name__ == "__main__":
    sys.exit(main("peers", run_peers, __doc__))
