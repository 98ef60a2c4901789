"""What to convolve with: presets, the text and files that describe a kernel, its factors."""
