"""Filtering pictures larger than memory: rows are read, filtered and written as they are needed."""
