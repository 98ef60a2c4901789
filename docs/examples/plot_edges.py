"""
Edges: magnitude and direction
==============================

A pair of kernels gives the derivative along each axis. The length of the two is the strength of
the edge, their angle is the direction in which the picture becomes brighter.
"""

import matplotlib.pyplot as plt
import numpy as np

import convtool
from convtool.images import samples

star = samples.load("siemens-star").astype(np.float32)
magnitude = convtool.gradient_magnitude(star, "scharr")
direction = convtool.gradient_direction(star, "scharr")

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(star, cmap="gray")
axes[0].set_title("picture")
axes[1].imshow(magnitude, cmap="gray")
axes[1].set_title("magnitude")
shown = np.where(magnitude > 100, direction, np.nan)
axes[2].imshow(shown, cmap="twilight", interpolation="nearest")
axes[2].set_title("direction")
for one in axes:
    one.set_axis_off()
