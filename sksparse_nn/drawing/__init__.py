"""Axes, colours and pictures, shared by all displays."""
