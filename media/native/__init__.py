"""The packet path's two ends in C, optional: built where there is a compiler, else Python's are used."""
