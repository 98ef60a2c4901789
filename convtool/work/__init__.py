"""Many pictures: finding them, naming their outputs, filtering several at once."""
