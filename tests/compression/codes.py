"""Networks with a layer of codes, to compress."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from sksparse_nn import NetPruner, NetQuantizer, SparseNetClassifier
from sksparse_nn.modules import (
    AttentionLayer,
    SoftThresholdLayer,
    SparseCodingLayer,
    TriangleLayer,
)

N_ATOMS = 24

CODING = {
    "lasso": lambda atoms: SparseCodingLayer(atoms, alpha=0.3, learn_alpha=True),
    "omp": lambda atoms: SparseCodingLayer(atoms, "omp", n_nonzero_coefs=4),
    "soft": lambda atoms: SoftThresholdLayer(atoms, 0.5),
    "triangle": TriangleLayer,
    "attention": lambda atoms: AttentionLayer(atoms, 2.0, learn_temperature=True),
}

COMPRESSORS = {
    "int8": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "4 bits": lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
    "pruned": lambda net: NetPruner(net, fine_tune_epochs=1),
    "pruned, first order": lambda net: NetPruner(
        net, amount=0.3, criterion="first_order", n_steps=2, fine_tune_epochs=4
    ),
    "pruned, int8": lambda net: NetQuantizer(NetPruner(net, fine_tune_epochs=1)),
}


def samples():
    X, y = load_digits(return_X_y=True)
    return (X[:300] / 16).astype(np.float32), y[:300]


class Coded(nn.Module):
    """A layer of codes, and a linear one."""

    def __init__(self, n_features, n_outputs, layer):
        super().__init__()
        self.codes = CODING[layer](torch.from_numpy(samples()[0][:N_ATOMS]))
        self.head = nn.Linear(N_ATOMS, n_outputs)

    def forward(self, X):
        return self.head(self.codes(X))


def network(layer, **parameters):
    parameters = {"learning_rate": 0.01, "max_epochs": 4} | parameters
    return SparseNetClassifier(
        module=Coded, module_params={"layer": layer}, random_state=0, **parameters
    )


def sequence(layer, *between, **parameters):
    """Return a network of codes, some layers, and two linear ones."""

    def make(n_features, n_outputs):
        codes = CODING[layer](torch.from_numpy(samples()[0][:N_ATOMS]))
        hidden = nn.Linear(N_ATOMS, 16), nn.ReLU()
        return nn.Sequential(codes, *between, *hidden, nn.Linear(16, n_outputs))

    parameters = {"learning_rate": 0.01, "max_epochs": 8} | parameters
    return SparseNetClassifier(module=make, random_state=0, **parameters)
