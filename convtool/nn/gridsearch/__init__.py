"""Grid search: many trainings in parallel processes, resumable."""
