"""Networks by name, from a file or from a run folder, with their weights and preprocessing."""
