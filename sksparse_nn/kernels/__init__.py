"""Compiled loops: arrays in, arrays out; no validation and no Python objects."""
