"""Layers and networks in torch alone, and what they cost."""

__all__: list[str] = []
