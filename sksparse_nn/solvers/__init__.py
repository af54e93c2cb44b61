"""The mathematics, on arrays: one folder per family, one file per algorithm."""
