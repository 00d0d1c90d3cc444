"""The engine that carries files from raw to gold; shipped to Glue as one zip."""
