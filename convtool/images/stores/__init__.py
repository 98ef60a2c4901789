"""Pictures of any size on disk, read and written some rows at a time: TIFF and Zarr."""
