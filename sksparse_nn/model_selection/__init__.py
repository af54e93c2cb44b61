"""Searches that know what sparse codes have in common."""

from sksparse_nn.model_selection._sparsity_search import SparsitySearchCV

__all__ = ["SparsitySearchCV"]
