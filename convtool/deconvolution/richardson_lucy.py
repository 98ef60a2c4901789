"""Richardson and Lucy's iteration: the likeliest picture where each pixel counts photons.

References
----------
W. H. Richardson, J. Opt. Soc. Am. 62 (1972), pp. 55-59; L. B. Lucy, Astronomical Journal 79 (1974),
pp. 745-754.
"""

import numpy as np

from convtool.deconvolution.blur import Blur, Plane
from convtool.progress import Advance, ignore

_NOTHING = 1e-12
"""Values below this share of the picture's mean count as zero where they divide."""


def richardson_lucy(
    planes: list[Plane], blur: Blur, iterations: int, advance: Advance = ignore
) -> list[Plane]:
    """Return the planes with a blur undone.

    Parameters
    ----------
    planes : list of ndarray, shape (H, W)
        The blurred channels; negative values count as 0.
    blur : Blur
        With a kernel that has no negative weight.
    iterations : int
        How many; the more, the sharper, and the more noise.
    advance : callable, optional
        Called with 1 after each iteration of each channel.

    Returns
    -------
    list of ndarray, shape (H, W)
        Never negative. Each begins as a flat picture of its mean; an iteration multiplies it by
        Kᵀ∗(y / K∗x), divided by Kᵀ∗1.
    """
    seen = blur.transposed(np.ones(blur.shape))
    seen[seen <= _NOTHING * seen.max()] = np.inf
    return [_restored(plane.clip(min=0), blur, seen, iterations, advance) for plane in planes]


def _restored(plane: Plane, blur: Blur, seen: Plane, iterations: int, advance: Advance) -> Plane:
    mean = float(plane.mean())
    answer = np.full(plane.shape, mean)
    for _ in range(iterations):
        made = blur.forward(answer)
        known = made > _NOTHING * mean
        ratio = np.divide(plane, made, out=np.zeros_like(plane), where=known)
        answer *= blur.transposed(ratio).clip(min=0) / seen
        advance(1)
    return answer
