"""Exact k nearest neighbours and their votes: tensors in, rows and classes out. Knows no tap and no file.

voting        find_votes: the classes alone, which is much less work
search        find_neighbors: the rows, nearest first
found         Neighbors, and merging what shards found
effort        how many queries each stage decided

passes        which first passes find candidates, in which order
plan          whether sketches pay, and how long they should be
sketch_pass   candidates by sketches: a short product rules out most rows
product       candidates by a product over all features
symmetric     the same of a base with itself, in half the arithmetic
prepared      a base that is asked about one query at a time
candidates    rows with bounds of their distance, and which votes are certain from these
measuring     distances in float64: the last word

sketch        short vectors whose distances are lower bounds
pairs         for each query some rows of its own, and their products
smallest      the smallest scores of each query, from tiles of scores
frame         centre and scale of a search
scores        products whose rounding is known
tiles         how many rows, queries and scores are held at once
rates         which type a device multiplies fastest
"""
