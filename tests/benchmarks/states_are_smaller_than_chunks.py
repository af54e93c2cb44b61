"""What a chunk sends back, and what a tree of a thousand of them holds at a time.

On paper: a state has the same size whatever the chunk, and a tree over n chunks holds
one state per level, `log2(n)` of them. Nothing is timed.
"""

import math
import pickle

import numpy as np

from sksparse_nn import (
    ImagePatchCoder,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn.parallel import fit_chunks

_WIDTH, _N_CHUNKS = 784, 1000

_ESTIMATORS = {
    "SVD of 784 features": TruncatedSVDReducer(32),
    "SVD of 28 groups of 28": TruncatedSVDReducer(4, groups=28),
    "256 atoms": SparseDictionaryCoder(256, max_epochs=1, random_state=0),
    "256 keys": SparseAttentionCoder(256, max_epochs=1, random_state=0),
    "100,000 patches": ImagePatchCoder(
        16, image_shape=(28, 28), max_epochs=1, random_state=0
    ),
}


def rows(n_rows=2000):
    """Yield a row of the table for each estimator: its largest state."""
    rng = np.random.default_rng(0)
    chunks = [rng.standard_normal((n_rows, _WIDTH), np.float32) for _ in range(4)]
    depth = math.ceil(math.log2(_N_CHUNKS))
    for name, estimator in _ESTIMATORS.items():
        sizes = []

        def weighing(job, chunks, sizes=sizes):
            for chunk in chunks:
                part = job(chunk)
                sizes.append(len(pickle.dumps(part)) / 1e6)
                yield part

        fit_chunks(estimator, chunks, map=weighing)
        yield {
            "estimator": name,
            "what": f"state of a chunk; {_N_CHUNKS} chunks of 1 GB",
            "state_mb": round(max(sizes), 2),
            "tree_mb": round(depth * max(sizes), 1),
        }
