"""Keep files of this version, to be loaded by later ones.

Run once per release: ``python -m tests.persistence.keep_files``. Files that exist stay
as they are.
"""

import pickle
from pathlib import Path
from zipfile import ZIP_DEFLATED

import numpy as np
import skops.io

from sksparse_nn import __version__
from tests.persistence.models import MODELS, samples
from tests.persistence.saving import outputs

FOLDER = Path(__file__).parent / "files"


def keep(folder):
    """Write each model, and what it says of the samples, if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    X, y = samples()
    for name, make in MODELS.items():
        path = folder / f"{name}.skops"
        if path.exists():
            continue
        model = make().fit(X, y)
        skops.io.dump(model, path, compression=ZIP_DEFLATED, compresslevel=9)
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(model))
        np.savez_compressed(folder / f"{name}.npz", *outputs(model, X))


if __name__ == "__main__":
    keep(FOLDER / __version__)
