"""The mathematics, on arrays: one family a folder, one algorithm a file."""
