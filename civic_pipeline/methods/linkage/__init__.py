"""Probabilistic record linkage: which payee is which certified firm, how sure that is, and how good the answer is."""
