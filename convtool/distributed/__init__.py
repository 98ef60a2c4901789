"""Arrays, huge pictures and folders of pictures on several processes or machines, with Dask.

``dask`` and ``distributed`` come with ``pip install 'convtool[cluster]'`` and are imported on use.
"""

from convtool.distributed.arrays import convolve, correlate
from convtool.distributed.cluster import connected, local_cluster
from convtool.distributed.pictures import filter_files

__all__ = ["connected", "convolve", "correlate", "filter_files", "local_cluster"]
