"""Many pictures: finding them, naming what comes of them, working on several at once."""
