"""Search over the sparsity of codes."""

from sksparse_nn.model_selection._sparsity_search import SparsitySearchCV

__all__ = ["SparsitySearchCV"]
