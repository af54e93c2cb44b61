"""
Smaller networks: which way is best
===================================

This example compares sparse representations before a network, pruning, small integers,
low rank, and their combinations. :func:`~sksparse_nn.compression_report` measures the
bytes and the time of whole pipelines,
:class:`~sksparse_nn.inspection.CompressionDisplay` marks the models that no other
beats. Small networks without any compression are in the table too; without them it
would mislead.
"""

# %%
# Everything on digits
# --------------------
# The baseline is one network with two hidden layers of 128. The others are networks
# after an SVD or a dictionary, compressed versions of these and of the baseline, and
# networks that were small from the start. All have the same learning rate and number of
# epochs; three seeds each.

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.inspection import CompressionDisplay

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)


def net(*sizes, seed):
    """Make a network with the given hidden layers."""
    return SparseNetClassifier(
        sizes, learning_rate=0.005, max_epochs=40, random_state=seed
    )


def behind(step, *sizes, seed):
    """Make a network with the given hidden layers after a transformer."""
    scaler = StandardScaler(with_mean=False)
    return make_pipeline(step, scaler, net(*sizes, seed=seed))


def contestants(seed):
    """Make all models of the comparison."""
    large = net(128, 128, seed=seed)
    svd = behind(TruncatedSVDReducer(24), 32, seed=seed)
    lines = behind(TruncatedSVDReducer(3, groups=8), 32, seed=seed)
    codes = behind(
        SparseDictionaryCoder(64, algorithm="lasso", alpha=0.1, random_state=seed),
        32,
        seed=seed,
    )
    tuned = {"fine_tune_epochs": 20}
    return {
        "128, 128": large,
        "SVD, 32": svd,
        "SVD by lines, 32": lines,
        "codes, 32": codes,
        "weights pruned": NetPruner(large, amount=0.9, n_steps=3, **tuned),
        "neurons pruned": NetPruner(large, amount=0.75, structure="neuron", **tuned),
        "int8": NetQuantizer(large),
        "4 bits": NetQuantizer(large, scheme="weight_only", n_bits=4),
        "rank 16": NetFactorizer(large, rank=16, **tuned),
        "pruned, int8": NetQuantizer(
            NetPruner(large, amount=0.75, structure="neuron", **tuned)
        ),
        "SVD, pruned, int8": NetQuantizer(NetPruner(svd, amount=0.5, **tuned)),
        "codes, int8": NetQuantizer(codes),
        "64": net(64, seed=seed),
        "32": net(32, seed=seed),
        "16": net(16, seed=seed),
        "8": net(8, seed=seed),
        "32, int8": NetQuantizer(net(32, seed=seed)),
        "16, int8": NetQuantizer(net(16, seed=seed)),
        "8, int8": NetQuantizer(net(8, seed=seed)),
    }


reports = []
for seed in range(3):
    X_fit, X_rest, y_fit, y_rest = train_test_split(
        X, y, test_size=0.4, random_state=seed, stratify=y
    )
    fitted = {
        name: estimator.fit(X_fit, y_fit)
        for name, estimator in contestants(seed).items()
    }
    reports.append(compression_report(fitted, X_rest, y_rest))
everything = pd.concat(reports)
names = list(reports[0].index)
report = everything.groupby(level=0).mean().loc[names]
report.insert(1, "±", everything.accuracy.groupby(level=0).std().loc[names])
shown = ["accuracy", "±", "nonzero", "bytes_disk", "multiply_adds", "smaller"]
print(report[shown].round(3).to_string())

# %%
# Models that no other beats
# --------------------------

CompressionDisplay(report).plot()

# %%
# The best at ten and at fifty times smaller, on disk:

for factor in (10, 50):
    small = report[report.smaller >= factor]
    if len(small):
        best = small.accuracy.idxmax()
        print(f"{factor} times smaller: {best}, {small.accuracy[best]:.3f}")
