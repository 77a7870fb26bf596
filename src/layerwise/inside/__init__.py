"""What is inside a data set and a network: so far `data_set`, what `layerwise data` shows before any network."""
