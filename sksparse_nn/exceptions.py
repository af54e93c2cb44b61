"""Errors and warnings of the package."""


class DataFormatError(ValueError):
    """A data file is not what its reader expects."""
