"""What is timed, against whom, and how; and the calibration that the planner reads."""
