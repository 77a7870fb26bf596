"""The definitions, in NumPy alone: readable without torch, and the oracle of everything faster."""
