"""Loaders of data sets on disk; nothing is downloaded."""

from sksparse_nn.datasets._cifar10 import load_cifar10

__all__ = ["load_cifar10"]
