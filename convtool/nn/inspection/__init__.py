"""What is inside a trained network: its layers, its filters, and which pixels decide."""
