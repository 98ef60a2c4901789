"""Every case, by format."""

from . import bmp, doors, foreign, gif, jp2, jpeg, netpbm, places, png, radiance, tiff, webp

REGISTRIES = (
    bmp.cases,
    doors.cases,
    foreign.cases,
    gif.cases,
    jp2.cases,
    jpeg.cases,
    netpbm.cases,
    places.cases,
    png.cases,
    radiance.cases,
    radiance.exr_cases,
    tiff.cases,
    webp.cases,
)
CASES = {case.name: case for registry in REGISTRIES for case in registry.cases}
