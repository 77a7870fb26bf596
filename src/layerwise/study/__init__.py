"""Systematic experiments: a hypothesis, a design, many seeds, statistics, a verdict.

named           the built-in studies by name, and files
file            a TOML file → Study, with all its faults at once; Study.run, the easy door
keys            the keys of such a file, and how its faults are gathered
cells           what is trained once a seed: its settings and its address
design          levels → cells: products, levels that go together, combinations left out
tuning          cells of which each block chooses one by its validation images
claims          the claims of a file, read against its cells
comparisons     what is claimed of which cells, and whether it came true
plan            what was meant before the first run, and in what a study departs from it
trials          one cell in one block: trained, measured, a record
kept            what stands in a folder of results, read and checked
store           records in a folder, a file for each chunk
engines         run trials: one after the other, or in processes
running         what is not run yet is run, and kept as it finishes
summary         records → findings, and a verdict by the rule that was planned
described       names of classes and shapes of kernels, for the report
checks          what a careful experimenter looks at before a run, and after it
"""
