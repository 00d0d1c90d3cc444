"""Independent computations of what the lake's tables must hold, for tests to compare with."""
