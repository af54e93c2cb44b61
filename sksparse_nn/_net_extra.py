"""Imported first by all that needs torch: says how to get it where it is absent."""

from importlib.util import find_spec

missing = [name for name in ("torch", "skorch") if find_spec(name) is None]
if missing:
    raise ModuleNotFoundError(
        f"Networks need torch and skorch. Got no {' and no '.join(missing)}; "
        'pip install "sksparse-nn[net]".',
        name=missing[0],
    )
