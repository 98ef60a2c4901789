"""The data of the page: the picture, the choices, and the first settings."""

from convtool.images.tone import RANGES
from convtool.report.view_page import view_page
from convtool.view.screen import factor_for
from convtool.view.settings import BORDERS, ENGINES, MOST_KERNELS, first_settings
from convtool.view.sliders import preset_sliders
from convtool.view.viewer import MOST_PART, MOST_SHOWN, Viewer


def page_of(viewer: Viewer) -> str:
    """Return the page of a viewer as HTML."""
    image = viewer.image
    about = f"{image.width}×{image.height}×{image.channels}, {image.type.name}"
    if viewer.white != image.peak:
        about += f"; white is {viewer.white:g} on this page"
    return view_page(
        viewer.name,
        about,
        {
            "settings": first_settings(viewer.given),
            "given": [one.text for one in viewer.given],
            "presets": preset_sliders(),
            "borders": BORDERS,
            "engines": ENGINES,
            "ranges": RANGES,
            "most": MOST_KERNELS,
            "most_part": MOST_PART,
            "width": image.width,
            "height": image.height,
            "reduced": factor_for(image, MOST_SHOWN),
        },
    )
