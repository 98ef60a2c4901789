"""Many trainings over a grid of choices, side by side in processes, resumable."""
