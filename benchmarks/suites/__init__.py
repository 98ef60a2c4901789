"""Suites that judge convtool against targets, for the scripts beside this folder."""
