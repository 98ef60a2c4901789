"""Draw the sample pictures: ``python sample_images/draw.py`` writes them to where they are kept.

The package holds all of them without loss, for `convtool.images.samples`; this folder holds the
same files for the command line, and the photograph as a JPEG.

Each shows something: the photograph what filters do to pictures, the zone plate their frequency
response and ringing, the Siemens star their resolution in every direction, the checkerboard their
edges and corners, the ramp their tone. The photograph is a drawn landscape with what makes
photographs hard to filter: texture, edges, grain, soft light. Everything is computed from
coordinates and one seeded generator; nothing is copied from a picture. The landscape's colours are
linear light from 0 to 1 until the last step.

References
----------
D. Saupe, "Algorithms for random fractals", in The Science of Fractal Images, 1988, section 2.4:
noise whose spectrum falls with a power of frequency looks like clouds and terrain.
Zone plate, a chirp in radius: B. Jähne, Digital Image Processing, 6th ed., section 10.1.
Siemens star: ISO 15775:1999, section 5.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convtool.images.write import write

FOLDER = Path(__file__).parent
"""Where the command line's copies are."""

PACKAGE = FOLDER.parent / "convtool" / "images" / "pictures"
"""Where the package's are."""

QUALITY = 92
"""The JPEG quality of the photograph."""

SIZE = 512
"""Side of the test patterns."""

_SPOKES = 36
_OVERSAMPLING = 4

Plane = NDArray[Any]
"""Values, shape (H, W)."""

Colours = NDArray[Any]
"""Red, green, blue of linear light, shape (H, W, 3)."""

HEIGHT, WIDTH = 480, 640
_SHORE = 318.0
_SUN = (438.0, 108.0)
_SEED = 20260722


class _Dice:
    """Uniform noise from raw bits, which NumPy promises never to change."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        raw = self._bits.random_raw(int(np.prod(shape))) >> np.uint64(11)
        return (raw.astype(np.float64) * 2.0**-53).reshape(shape)

    def fractal(self, height: int, width: int, fall: float, longest: float = 1e9) -> Plane:
        """Return noise with a spectrum of frequency**-fall, 0 to 1, no wave above ``longest``."""
        spectrum = np.fft.rfft2(self.uniform(height, width) - 0.5)
        frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
        frequency[0, 0] = 1.0
        weight = np.where(frequency < 1 / longest, 0.0, frequency**-fall)
        weight[0, 0] = 0.0
        noise = np.fft.irfft2(spectrum * weight, s=(height, width))
        low, high = np.quantile(noise, [0.002, 0.998])
        clipped: Plane = np.clip((noise - low) / (high - low), 0, 1)
        return clipped

    def ridge(self, width: int, fall: float, longest: float) -> NDArray[np.float64]:
        """Return a fractal line, 0 to 1."""
        spectrum = np.fft.rfft(self.uniform(2 * width) - 0.5)
        frequency = np.fft.rfftfreq(2 * width)
        frequency[0] = 1.0
        weight = np.where(frequency < 1 / longest, 0.0, frequency**-fall)
        line = np.fft.irfft(spectrum * weight, 2 * width)[:width]
        scaled: NDArray[np.float64] = (line - line.min()) / (line.max() - line.min())
        return scaled


def _quantised(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.floor(np.clip(values, 0, 1) * 255.999).astype(np.uint8)


def _smooth(low: float, high: float, values: Plane) -> Plane:
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _mix(under: Colours, over: Colours | tuple[float, float, float], share: Plane) -> Colours:
    mixed: Colours = under + (np.asarray(over) - under) * share[..., None]
    return mixed


def _inside(*distances: Plane) -> Plane:
    """Return how much of each pixel lies inside all edges, from distances inward in pixels."""
    share: Plane = np.clip(np.minimum.reduce(distances) + 0.5, 0, 1)
    return share


def _box(y: Plane, x: Plane, top: float, left: float, bottom: float, right: float) -> Plane:
    return _inside(y - top, bottom - y, x - left, right - x)


def photograph() -> NDArray[np.uint8]:
    """Draw the scene: a house by a lake before mountains, in the evening.

    Returns
    -------
    ndarray of uint8, shape (480, 640, 3)
        The same on every call.
    """
    dice = _Dice(_SEED)
    y, x = np.mgrid[0.0:HEIGHT, 0.0:WIDTH]
    view = _sky(dice, y, x)
    view = _mountains(dice, view, y, x)
    view = _far_shore(dice, view, y, x)
    view = _lake(dice, view, y, x)
    view = _meadow(dice, view, y, x)
    view = _house(dice, view, y, x)
    view = _firs(dice, view, y, x)
    return _expose(dice, view, y, x)


def _sky(dice: _Dice, y: Plane, x: Plane) -> Colours:
    down = np.clip(y / _SHORE, 0, 1)
    blue, pale = np.array([0.09, 0.22, 0.52]), np.array([0.78, 0.66, 0.52])
    sky = blue + (pale - blue) * (down**1.7)[..., None]
    away = np.hypot(x - _SUN[0], (y - _SUN[1]) * 1.05)
    sky = sky + np.array([1.0, 0.62, 0.25]) * (0.42 * np.exp(-away / 95))[..., None]
    billows = dice.fractal(2 * HEIGHT, WIDTH, 1.75)[::2]
    wisps = dice.fractal(HEIGHT, WIDTH, 1.35)
    cover = _smooth(0.48, 0.82, 0.8 * billows + 0.2 * wisps) * _smooth(1.0, 0.45, down)
    shade = billows - np.roll(billows, (-7, -12), (0, 1))
    light = np.clip(0.74 + 2.2 * shade, 0.35, 1.15)[..., None] * np.array([1.0, 0.9, 0.82])
    sky = _mix(sky, light + 0.25 * np.exp(-away / 120)[..., None], 0.85 * cover)
    return _mix(sky, (1.35, 1.2, 0.95), _inside(17 - away))


def _mountains(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    relief = dice.fractal(HEIGHT, WIDTH, 1.65, 240)
    slope = np.gradient(relief, axis=1) * 17 + np.gradient(relief, axis=0) * 7
    for base, rise, fall, longest, rock, haze in (
        (248.0, 104.0, 1.6, 420.0, (0.30, 0.33, 0.42), 0.5),
        (280.0, 70.0, 1.6, 300.0, (0.15, 0.19, 0.21), 0.2),
    ):
        crest = base - rise * dice.ridge(WIDTH, fall, longest)
        below = y - crest[None, :]
        lit = np.clip(0.55 + slope, 0.12, 1.3)[..., None] * np.asarray(rock)
        snow = _smooth(0.0, 1.0, (40 - below + 70 * (relief - 0.5)) / 18) * (rise > 80)
        lit = _mix(lit, np.clip(0.62 + 0.9 * slope, 0.3, 1)[..., None] * [0.95, 0.9, 0.92], snow)
        air = haze + 0.3 * np.clip(below / 90, 0, 1)
        lit = _mix(lit, (0.60, 0.52, 0.48), np.clip(air, 0, 0.85))
        view = _mix(view, lit, np.clip(below + 0.5, 0, 1))
    return view


def _far_shore(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    crowns = dice.ridge(WIDTH, 0.75, 60)
    hills = dice.ridge(WIDTH, 1.6, 400)
    crest = _SHORE - 14 - 20 * hills - 9 * crowns
    leaves = dice.fractal(HEIGHT, WIDTH, 0.75, 24)
    below = y - crest[None, :]
    green = (0.25 + 1.1 * leaves)[..., None] * np.array([0.052, 0.085, 0.045])
    green = green + (np.clip(1 - below / 10, 0, 1) * leaves)[..., None] * [0.14, 0.11, 0.04]
    green = _mix(green, (0.42, 0.38, 0.36), np.full_like(y, 0.16))
    return _mix(view, green, np.clip(below + 0.5, 0, 1))


def _lake(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    depth = np.clip(y - _SHORE, 0, None)
    ripples = dice.fractal(2 * HEIGHT, WIDTH // 4, 0.9, 40)[::2].repeat(4, axis=1)
    swell = np.sin(depth**0.72 * 2.6 + 6 * ripples) * np.clip(depth / 40, 0, 1)
    mirrored = _SHORE - depth * 0.93 + swell * (1.5 + 0.06 * depth) + 9 * (ripples - 0.5)
    sideways = x + (ripples - 0.5) * (2 + 0.10 * depth)
    rows = np.clip(mirrored, 0, _SHORE - 1).astype(int)
    columns = np.clip(sideways, 0, WIDTH - 1).astype(int)
    water = view[rows, columns] * (0.62 - 0.0011 * depth[..., None])
    water = water * [0.86, 0.96, 1.0] + [0.006, 0.014, 0.02]
    path = np.exp(-(((x - _SUN[0]) / (16 + 0.42 * depth)) ** 2))
    glitter = _smooth(0.62, 0.84, ripples + 0.12 * swell) * path
    water = water + glitter[..., None] * np.array([1.0, 0.68, 0.34]) * 0.9
    return _mix(view, water, np.clip(y - _SHORE + 0.5, 0, 1))


def _meadow(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    bay = np.exp(-(((x - 430) / 105) ** 2))
    edge = 376 + 84 * bay + 6 * dice.ridge(WIDTH, 1.1, 90)[None, :]
    below = y - edge
    blades = dice.fractal(HEIGHT // 4, WIDTH, 0.45, 30).repeat(4, axis=0)
    blades = 0.5 * blades + 0.5 * np.roll(blades, 2, axis=0)
    fine = dice.fractal(HEIGHT, WIDTH, 0.5, 12)
    patches = dice.fractal(HEIGHT, WIDTH, 1.6)
    light = 0.22 + 0.62 * blades + 0.45 * fine
    green = light[..., None] * np.array([0.13, 0.17, 0.045])
    green = _mix(green, light[..., None] * [0.26, 0.2, 0.075], _smooth(0.45, 0.8, patches))
    green = green * (0.72 + 0.4 * np.clip(below / 100, 0, 1))[..., None]
    sand = (0.6 + 0.5 * fine)[..., None] * np.array([0.3, 0.25, 0.18])
    ground = _mix(sand, green, _smooth(3, 9, below + 8 * (fine - 0.5)))
    view = _mix(view, ground, np.clip(below + 0.5, 0, 1))
    flowers = (dice.uniform(HEIGHT, WIDTH) > 0.9965) & (below > 30)
    spots = flowers | np.roll(flowers, 1, 1) | np.roll(flowers, 1, 0)
    tint = _smooth(0.4, 0.6, np.roll(patches, 100, 1))
    colour = _mix(np.broadcast_to([0.75, 0.6, 0.1], view.shape), (0.8, 0.75, 0.7), tint)
    return _mix(view, colour * (0.5 + 0.6 * fine)[..., None], spots * 0.85)


def _house(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    grain = dice.fractal(HEIGHT, WIDTH, 0.8, 40)
    shadow = _inside(y - 396, 408 - y + 0.1 * (x - 70), x - 62, 250 - x) * 0.55
    view = _mix(view, view * 0.35, shadow)
    front = _box(y, x, 292, 70, 402, 158)
    gable = _inside((y - 240) - (114 - x) * 1.18, (y - 240) - (x - 114) * 1.18, 293 - y)
    planks = 0.82 + 0.18 * _smooth(0.0, 0.25, np.abs((x / 8) % 1 - 0.5) * 2)
    wall = (planks * (0.85 + 0.3 * grain))[..., None] * np.array([0.36, 0.085, 0.055])
    view = _mix(view, wall, np.maximum(front, gable))
    side = _box(y, x, 292, 158, 398, 236)
    boards = 0.78 + 0.22 * _smooth(0.0, 0.3, np.abs((y / 7) % 1 - 0.5) * 2)
    view = _mix(view, (boards * (0.8 + 0.35 * grain))[..., None] * [0.62, 0.2, 0.11], side)
    view = _roof(dice, view, y, x)
    for top, left, bottom, right in (
        (312, 82, 340, 104),
        (312, 124, 340, 146),
        (262, 106, 282, 122),
    ):
        view = _window(view, y, x, (top, left, bottom, right))
    for left in (168, 203):
        view = _window(view, y, x, (310, left, 344, left + 24))
    view = _mix(view, (0.62, 0.58, 0.5), _box(y, x, 354, 100, 402, 126))
    door = (0.7 + 0.4 * grain)[..., None] * np.array([0.09, 0.13, 0.10])
    view = _mix(view, door, _box(y, x, 357, 103, 402, 123))
    view = _mix(view, (0.9, 0.75, 0.3), _inside(1.6 - np.hypot(x - 119, y - 381)))
    base = (0.5 + 0.6 * grain)[..., None] * np.array([0.24, 0.23, 0.22])
    return _mix(view, base, _inside(y - 398, 407 - y, x - 68, 238 - x))


def _roof(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    rows = (y - 238) / 5.5
    tiles = np.abs((x / 7 + 0.5 * (np.floor(rows) % 2)) % 1 - 0.5) * 2
    tone = 0.55 + 0.3 * (1 - rows % 1) + 0.15 * _smooth(0, 0.35, tiles)
    tone = tone * (0.75 + 0.5 * dice.fractal(HEIGHT, WIDTH, 0.9, 60))
    slate = tone[..., None] * np.array([0.23, 0.20, 0.21])
    lean = (y - 236) * 0.82
    view = _mix(view, slate, _inside(y - 236, 296 - y, x - 112 - lean * 0.98, 198 + lean - x))
    for side in (-1, 1):
        along = (y - 238) - side * (x - 114) * 1.18
        trim = _inside(along + 7, 2 - along, side * (x - 114) + 4, 300 - y)
        view = _mix(view, (0.72, 0.66, 0.58), trim)
    chimney = _box(y, x, 214, 166, 252, 184)
    bricks = 0.7 + 0.3 * (
        _smooth(0, 0.3, (y / 5) % 1) * _smooth(0, 0.2, (x / 9 + np.floor(y / 5) / 2) % 1)
    )
    view = _mix(view, bricks[..., None] * [0.34, 0.13, 0.09], chimney)
    return _mix(view, (0.12, 0.11, 0.11), _box(y, x, 211, 164, 216, 186))


def _window(view: Colours, y: Plane, x: Plane, box: tuple[float, float, float, float]) -> Colours:
    top, left, bottom, right = box
    view = _mix(view, (0.78, 0.74, 0.66), _box(y, x, top - 3, left - 3, bottom + 3, right + 3))
    sheen = 0.10 + 0.55 * _smooth(0.2, 1.0, ((x - left) - (y - top) + 30) / 60)
    glass = sheen[..., None] * np.array([0.75, 0.62, 0.48])
    view = _mix(view, glass, _box(y, x, top, left, bottom, right))
    bars = np.maximum(
        _box(y, x, top, (left + right) / 2 - 1, bottom, (left + right) / 2 + 1),
        _box(y, x, (top + bottom) / 2 - 1, left, (top + bottom) / 2 + 1, right),
    )
    return _mix(view, (0.78, 0.74, 0.66), bars)


def _firs(dice: _Dice, view: Colours, y: Plane, x: Plane) -> Colours:
    needles = dice.fractal(HEIGHT, WIDTH, 0.55, 14)
    for root, foot, height in ((18, 412, 196), (44, 404, 140), (596, 428, 268), (556, 418, 176),
                               (630, 436, 214), (262, 396, 92)):  # fmt: skip
        down = (y - (foot - height)) / height
        tiers = 0.72 + 0.28 * ((down * 9) % 1)
        ragged = 0.6 + 0.8 * dice.fractal(HEIGHT, WIDTH, 0.9, 18)
        half = height * 0.21 * np.clip(down, 0, 1) ** 0.85 * tiers * ragged
        side = (x - root) / np.maximum(half, 1)
        crown = _inside(half - np.abs(x - root), (0.96 - down) * height, down * height)
        light = (0.25 + 0.9 * needles) * (
            0.65 + 0.35 * np.clip(side * np.sign(_SUN[0] - root), -1, 1)
        )
        view = _mix(
            view, (0.07, 0.05, 0.04), _box(y, x, foot - 0.08 * height, root - 3, foot, root + 3)
        )
        view = _mix(view, light[..., None] * np.array([0.045, 0.075, 0.04]), crown)
    return view


def _expose(dice: _Dice, view: Colours, y: Plane, x: Plane) -> NDArray[np.uint8]:
    """Do what a camera does: soften, darken the corners, add grain, bend to sRGB, quantise."""
    soft = view.copy()
    for axis in (0, 1):
        soft = 0.7 * soft + 0.15 * (np.roll(soft, 1, axis) + np.roll(soft, -1, axis))
    corner = ((x / WIDTH - 0.5) ** 2 + (y / HEIGHT - 0.5) ** 2)[..., None]
    light = np.clip(soft * (1.12 - 0.62 * corner), 0, None)
    light = light * (1 + light / 2.2) / (1 + light * 0.82)
    noise = sum(dice.uniform(HEIGHT, WIDTH, 3) for _ in range(4)) - 2
    light = light + noise * np.sqrt(0.0003 + 0.0015 * light)
    light = np.clip(light, 0, 1)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return _quantised(curve)


def zone_plate() -> NDArray[np.uint8]:
    """Draw rings whose frequency grows with radius, up to half a cycle a pixel at the edge."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    radius = SIZE / 2
    return _quantised(0.5 + 0.5 * np.cos(np.pi * (x**2 + y**2) / (2 * radius)))


def siemens_star() -> NDArray[np.uint8]:
    """Draw spokes that get finer towards the centre, each pixel averaged over a grid of points."""
    total = np.zeros((SIZE, SIZE))
    offsets = (np.arange(_OVERSAMPLING) + 0.5) / _OVERSAMPLING - 0.5
    for down in offsets:
        for right in offsets:
            y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
            angle = np.arctan2(y + down, x + right)
            white = np.cos(_SPOKES * angle) > 0
            outside = np.hypot(y + down, x + right) > 0.47 * SIZE
            total += white | outside
    return _quantised(total / _OVERSAMPLING**2)


def checkerboard() -> NDArray[np.uint8]:
    """Draw squares of 32 pixels, black and white."""
    y, x = np.mgrid[:SIZE, :SIZE] // 32
    squares: NDArray[np.uint8] = ((y + x) % 2 * 255).astype(np.uint8)
    return squares


def gray_ramp() -> NDArray[np.uint8]:
    """Draw all 256 greys from left to right, two columns each; below in 16 steps."""
    ramp = np.arange(SIZE) // 2
    steps = np.arange(SIZE) // 32 * 17
    return np.vstack([np.tile(ramp, (128, 1)), np.tile(steps, (128, 1))]).astype(np.uint8)


PICTURES = {
    "photograph": photograph,
    "zone-plate": zone_plate,
    "siemens-star": siemens_star,
    "checkerboard": checkerboard,
    "gray-ramp": gray_ramp,
}
"""What draws each picture."""


def main() -> None:
    """Draw every picture and write it to both places."""
    for name, draw in PICTURES.items():
        pixels = draw()
        file = PACKAGE / f"{name}.png"
        write(file, pixels)
        if name == "photograph":
            write(FOLDER / f"{name}.jpg", pixels, quality=QUALITY)
        else:
            shutil.copy(file, FOLDER)


if __name__ == "__main__":
    main()
