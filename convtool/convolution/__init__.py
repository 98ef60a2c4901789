"""The convolution: validate, plan, run."""
