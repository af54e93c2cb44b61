"""Networks in torch alone, without scikit-learn and skorch: layers and what they cost."""

__all__: list[str] = []
