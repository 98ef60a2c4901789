"""A page on this machine that filters a picture while its reader moves the sliders."""
