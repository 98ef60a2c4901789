"""One module a file format: its header, its pixels, its bytes."""
