"""Transformers that write rows in fewer, or sparser, numbers."""

from sksparse_nn.decomposition._sparse_attention_coder import SparseAttentionCoder
from sksparse_nn.decomposition._sparse_dictionary_coder import SparseDictionaryCoder
from sksparse_nn.decomposition._sparse_encode import sparse_encode, sparsity_path
from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer

__all__ = [
    "SparseAttentionCoder",
    "SparseDictionaryCoder",
    "TruncatedSVDReducer",
    "sparse_encode",
    "sparsity_path",
]
