"""The lake: one pair of files per pipeline, `<name>.yaml` (what exists) and `<name>.py` (how values change)."""
