"""Tests and benchmarks.

With this file the folder is found ahead of a package of the same name that a dependency
of the benchmarks installs.
"""
