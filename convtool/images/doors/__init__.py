"""Formats that other libraries read and write, each in a process of its own."""
