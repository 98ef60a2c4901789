"""
Undo a known blur
=================

A blur weakens high frequencies and loses the weakest in noise. Deconvolution strengthens those
that are left.
"""

import matplotlib.pyplot as plt
import numpy as np

import convtool
from convtool.images import samples

photograph = samples.load("photograph")[180:340, 40:260].astype(np.float32)
noise = np.random.default_rng(0).normal(0, 1, photograph.shape).astype(np.float32)
blurred = convtool.convolve(photograph, "disk:radius=3") + noise
restored = convtool.deconvolve(blurred, "disk:radius=3", noise=1)

figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained")
pictures = {"picture": photograph, "out of focus, with noise": blurred, "restored": restored}
for one, (name, pixels) in zip(axes, pictures.items(), strict=True):
    one.imshow(np.clip(pixels, 0, 255).astype(np.uint8))
    one.set_title(name)
    one.set_axis_off()
