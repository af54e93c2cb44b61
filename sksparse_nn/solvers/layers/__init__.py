"""Smaller weight matrices: pruned, quantized, factorized. Arrays in, arrays out."""

from sksparse_nn.solvers.layers._factorize import (
    LowRank,
    find_output_directions,
    project_outputs,
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
    quantize_for_products,
    quantize_matrix,
)
from sksparse_nn.solvers.layers._ranks import (
    choose_exactly,
    choose_share,
    list_options,
    spend_loss,
    spend_weights,
)
from sksparse_nn.solvers.layers._refit import find_change, find_change_of, score_inputs
from sksparse_nn.solvers.layers._storage import drop_zeros, restore_zeros
from sksparse_nn.solvers.layers._sums import (
    LayerSums,
    contribution_units,
    even_units,
)
from sksparse_nn.solvers.layers._tucker import (
    Tucker,
    find_input_channels,
    split_kernel,
)

__all__ = [
    "CRITERIA",
    "ZERO_BYTES",
    "LayerSums",
    "LowRank",
    "Quantized",
    "Reader",
    "Tucker",
    "choose_exactly",
    "choose_groups",
    "choose_inputs",
    "choose_neurons",
    "choose_share",
    "choose_weights",
    "contribution_units",
    "dequantize_matrix",
    "drop_zeros",
    "even_units",
    "find_change",
    "find_change_of",
    "find_input_channels",
    "find_output_directions",
    "largest_of_rows",
    "list_options",
    "project_outputs",
    "quantize_for_products",
    "quantize_matrix",
    "restore_zeros",
    "score_groups",
    "score_inputs",
    "spend_loss",
    "spend_weights",
    "split_kernel",
]
