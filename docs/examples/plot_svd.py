"""
A picture as a sum of products
==============================

The k strongest singular triples of a picture give its best approximation of rank k. Edges along
the axes need few of them, slanted ones many.
"""

import matplotlib.pyplot as plt
import numpy as np

import convtool
from convtool.images import samples

photograph = samples.load("photograph") @ np.array([0.299, 0.587, 0.114])

figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
for one, k in zip(axes, (5, 20, 80), strict=True):
    approximation = convtool.svd.compress(photograph, k).reconstruct()
    quality = convtool.psnr(photograph, approximation, 255)
    one.imshow(approximation, cmap="gray", vmin=0, vmax=255)
    one.set_title(f"k = {k}, {quality:.1f} dB")
    one.set_axis_off()
