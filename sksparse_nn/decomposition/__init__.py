"""Transformers that write rows in fewer, or sparser, numbers."""

from sksparse_nn.decomposition._sparse_dictionary_coder import SparseDictionaryCoder

__all__ = ["SparseDictionaryCoder"]
