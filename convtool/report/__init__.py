"""Tables, plots and pages; independent of engines."""
