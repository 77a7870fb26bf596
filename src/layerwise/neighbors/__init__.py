"""Exact k nearest neighbours and their votes: tensors in, rows and classes out. Knows no tap and no file.

    found      Neighbors, and merging what shards found
    search     find_neighbors: the rows, nearest first
    voting     find_votes: the classes alone, which is much less work
"""
