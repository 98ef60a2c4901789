"""Tables and plots for people; it knows nothing of engines."""
