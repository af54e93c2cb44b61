"""What a chunk sends back, and what a tree of a thousand of them holds at a time.

On paper: a state has the same size whatever the chunk, and a tree over n chunks holds
one state per level, `log2(n)` of them. Samples that a fit starts from are drawn from
all chunks, and are on the client once. Nothing is timed.
"""

import math
import pickle
from collections import defaultdict

import numpy as np

from sksparse_nn import (
    ImagePatchCoder,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn._rounds import Draw
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


def rows(n_rows=4000):
    """Yield a row of the table for each estimator: its largest state."""
    rng = np.random.default_rng(0)
    chunks = [rng.standard_normal((n_rows, _WIDTH), np.float32) for _ in range(4)]
    depth = math.ceil(math.log2(_N_CHUNKS))
    for name, estimator in _ESTIMATORS.items():
        sizes = defaultdict(list)

        def weighing(job, chunks, sizes=sizes):
            for chunk in chunks:
                part = job(chunk)
                sizes[type(job.round)].append(len(pickle.dumps(part)) / 1e6)
                yield part

        fit_chunks(estimator, chunks, map=weighing)
        drawn = sum(sizes.pop(Draw, []))
        largest = max(map(max, sizes.values()))
        yield {
            "estimator": name,
            "what": f"state of a chunk; {_N_CHUNKS} chunks of 1 GB",
            "state_mb": round(largest, 2),
            "tree_mb": round(depth * largest, 1),
            "drawn_mb": round(drawn),
        }
