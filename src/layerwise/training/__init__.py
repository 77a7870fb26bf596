"""Training on Lightning: the same command gives the same weights, also when it was killed in between."""
