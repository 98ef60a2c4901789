"""Files to arrays and back: reading, writing, tone, sample pictures."""
