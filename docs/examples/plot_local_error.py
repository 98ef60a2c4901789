"""
A hot pixel and a Fourier transform
===================================

The error of a plain Fourier transform is relative to the largest value of the whole picture, so
that one hot pixel damages pixels far away. convtool bounds the error of a pixel by the values in
its own window.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage, signal

import convtool

rng = np.random.default_rng(0)
image = rng.uniform(0.5, 1, (256, 256)).astype(np.float32)
image[128, 128] = 1e8
kernel = rng.uniform(0, 1, (21, 21)).astype(np.float32)
kernel /= kernel.sum()

exact = ndimage.convolve(image.astype(float), kernel.astype(float), mode="constant")
answers = {
    "scipy.signal.fftconvolve": signal.fftconvolve(image, kernel, mode="same"),
    "convtool.convolve": convtool.convolve(image, kernel, border="constant"),
}

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for one, (name, answer) in zip(axes, answers.items(), strict=True):
    error = np.log10(np.maximum(np.abs(answer - exact) / exact, 1e-9))
    drawn = one.imshow(error, vmin=-9, vmax=1, cmap="magma")
    one.set_title(name)
    one.set_axis_off()
figure.colorbar(drawn, ax=axes, label="log10 of the relative error")
