"""Smaller weight matrices: pruned, quantized, factorized. Arrays in, arrays out."""

from sksparse_nn.solvers.layers._factorize import (
    LowRank,
    factorize_for_products,
    factorize_matrix,
)
from sksparse_nn.solvers.layers._groups import Reader, choose_groups, score_groups
from sksparse_nn.solvers.layers._prune import (
    CRITERIA,
    choose_inputs,
    choose_neurons,
    choose_weights,
    largest_of_rows,
)
from sksparse_nn.solvers.layers._quantize import (
    ZERO_BYTES,
    Quantized,
    dequantize_matrix,
    quantize_matrix,
)
from sksparse_nn.solvers.layers._refit import find_change, find_change_of, score_inputs
from sksparse_nn.solvers.layers._storage import drop_zeros, restore_zeros
from sksparse_nn.solvers.layers._sums import LayerSums

__all__ = [
    "CRITERIA",
    "ZERO_BYTES",
    "LayerSums",
    "LowRank",
    "Quantized",
    "Reader",
    "choose_groups",
    "choose_inputs",
    "choose_neurons",
    "choose_weights",
    "dequantize_matrix",
    "drop_zeros",
    "factorize_for_products",
    "factorize_matrix",
    "find_change",
    "find_change_of",
    "largest_of_rows",
    "quantize_matrix",
    "restore_zeros",
    "score_groups",
    "score_inputs",
]
