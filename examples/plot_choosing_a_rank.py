"""
How many components: spectrum and captured energy
=================================================

A truncated SVD keeps the leading singular vectors. Two pictures help to choose how
many: the singular values, and the cumulative energy that the components capture.
:class:`~sksparse_nn.TruncatedSVDReducer` takes the number itself, a share of the
energy, or ``"auto"``.
"""

# %%
# Signals in noise, and images
# ----------------------------
# Two data sets for which a good number differs: twelve directions in white noise,
# typical of measurements, and the digits that scikit-learn ships, where every direction
# is part of some digit.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sksparse_nn import TruncatedSVDReducer

rng = np.random.default_rng(0)
strengths = np.linspace(3, 0.8, 12)
signals = rng.standard_normal((1500, 12)) * strengths @ rng.standard_normal((12, 64))
data = {
    "12 signals in noise": signals + 3 * rng.standard_normal((1500, 64)),
    "digits": load_digits().data / 16,
}

# %%
# Spectrum
# --------
# ``"auto"`` keeps the singular values above a multiple of their median that white noise
# of any level stays below. In noise it finds the twelve directions. Digits have no
# noise: their singular values fall without a step, and the place where ``"auto"`` cuts
# them has no meaning. A share of the energy is the better choice there.

choices = {"auto": "#D55E00", 0.9: "#0072B2", 0.99: "#009E73"}
figure, axes = plt.subplots(
    2, 2, figsize=(10, 7), layout="constrained", sharex=True, sharey="row"
)
for (name, X), (upper, lower) in zip(data.items(), axes.T, strict=True):
    whole = TruncatedSVDReducer(min(X.shape) - 3, center=True).fit(X)
    rank = 1 + np.arange(whole.n_components_)
    upper.semilogy(rank, whole.singular_values_ / whole.singular_values_[0], ".k")
    captured = np.cumsum(whole.explained_variance_ratio_)
    lower.plot(rank, captured, ".k")
    for choice, colour in choices.items():
        k = TruncatedSVDReducer(choice, center=True).fit(X).n_components_
        for ax in (upper, lower):
            ax.axvline(k + 0.5, color=colour, label=f"n_components={choice!r}: {k}")
    upper.set_title(name)
    lower.set_xlabel("component")
    lower.legend(loc="lower right")
    for ax in (upper, lower):
        ax.grid(alpha=0.3)
axes[0, 0].set_ylabel("singular value, of the largest")
axes[1, 0].set_ylabel("captured energy, summed")

# %%
# Groups compete for a share
# --------------------------
# With groups, an int gives each group as many components. A share ranks the singular
# values of all groups together, so groups with more energy get more components: lines
# in the middle of a digit vary more than those at its edge.

X = data["digits"]
equal = TruncatedSVDReducer(2, groups=8, center=True).fit(X)
share = TruncatedSVDReducer(
    float(equal.explained_variance_ratio_.sum()), groups=8, center=True
).fit(X)
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
line = np.arange(8)
for offset, (label, reducer) in zip(
    (-0.2, 0.2),
    {"2 each": equal, "as many in all as reach the same share": share}.items(),
    strict=True,
):
    energy = np.bincount(
        reducer.component_groups_, reducer.explained_variance_ratio_, minlength=8
    )
    counts = np.bincount(reducer.component_groups_, minlength=8)
    bars = ax.bar(line + offset, energy, 0.38, label=f"{label}: {counts.sum()} in all")
    ax.bar_label(bars, labels=counts)
ax.set(xlabel="line of the image", ylabel="captured energy", xticks=line)
ax.set_ylim(top=0.17)
ax.legend(loc="upper left")

# %%
# How exact it is
# ---------------
# ``residuals_`` is the distance of each triplet from one of the data. The solver
# "krylov" stops when they are below ``tol``; "gram" and "exact" are accurate to
# rounding. A stream that is too wide for products of its features keeps a sketch of
# twice as many components as requested, and its residuals bound the resulting loss.

X = (
    rng.standard_normal((4000, 60))
    * 0.9 ** np.arange(60)
    @ rng.standard_normal((60, 6000))
)
fits = {
    "krylov, tol=0.1": TruncatedSVDReducer(
        20, solver="krylov", tol=0.1, random_state=0
    ).fit(X),
    "krylov, tol=0.001": TruncatedSVDReducer(
        20, solver="krylov", tol=1e-3, random_state=0
    ).fit(X),
}
stream = TruncatedSVDReducer(20)
for start in range(0, 4000, 500):
    stream.partial_fit(X[start : start + 500])
fits["stream of 6,000 features"] = stream
figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for (label, reducer), marker in zip(fits.items(), "os^", strict=True):
    ax.semilogy(1 + np.arange(20), reducer.residuals_, marker, label=label)
ax.set(xlabel="component", ylabel="relative residual", xticks=range(1, 21, 3))
ax.grid(alpha=0.3)
ax.legend()
