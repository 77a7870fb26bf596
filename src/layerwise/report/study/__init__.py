"""The report of a study, and of several side by side.

page        write_study_report: a page of each study, and of several one beside the other
answer      the verdict, and the picture that carries it
claims      what was claimed, by interval, and numbers of others
runs        curves, confusion, calibration, kernels, and the ledger of all runs
tables      the same numbers as JSON and CSV
"""
