"""What the build puts into the pages, from the registries."""
