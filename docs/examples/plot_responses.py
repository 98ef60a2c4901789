"""
What blurs do to each frequency
===============================

A box and a Gaussian of the same variance smooth alike, but the box lets some high frequencies
through again, and turns their sign: the rings on a zone plate.
"""

import matplotlib.pyplot as plt
import numpy as np

import convtool
from convtool.images import samples

width = 9
sigma = np.sqrt((width**2 - 1) / 12)
specs = [f"box:size=1x{width}", f"gaussian:sigma={sigma},size=1x41"]

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for spec in specs:
    row = convtool.kernel(spec)[0]
    padded = np.roll(np.pad(row, (0, 512 - len(row))), -(len(row) // 2))
    response = np.fft.rfft(padded).real
    axes.plot(np.linspace(0, 0.5, len(response)), response, label=spec.partition(":")[0])
axes.axhline(0, color="gray", linewidth=0.8)
axes.set_xlabel("cycles a pixel")
axes.set_ylabel("response")
axes.legend()

# %%
# The same on a zone plate, whose frequency grows with the distance from the middle.

plate = samples.load("zone-plate")
figure, axes = plt.subplots(1, 2, figsize=(7, 3.6), layout="constrained")
for one, spec in zip(axes, (f"box:size={width}", f"gaussian:sigma={sigma}"), strict=True):
    one.imshow(convtool.convolve(plate, spec), cmap="gray", vmin=0, vmax=255)
    one.set_title(spec.partition(":")[0])
    one.set_axis_off()
