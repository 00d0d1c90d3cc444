"""The laptop cloud: one server process that answers like AWS, and runs what it is asked to run."""
