"""Every solver and setting of TruncatedSVDReducer, for laws that hold for all."""

from sksparse_nn.decomposition._truncated_svd_reducer import TruncatedSVDReducer

REDUCERS = [
    TruncatedSVDReducer(),
    TruncatedSVDReducer(2, solver="exact"),
    TruncatedSVDReducer(2, solver="gram"),
    TruncatedSVDReducer(2, solver="krylov"),
    TruncatedSVDReducer(solver="krylov", center=True),
    TruncatedSVDReducer(2, groups=2),
    TruncatedSVDReducer(3, groups=4, solver="gram", center=True),
    TruncatedSVDReducer(2, groups=3, solver="krylov"),
    TruncatedSVDReducer(center=True, whiten=True),
    TruncatedSVDReducer(2, groups=2, whiten=True, solver="gram"),
    TruncatedSVDReducer(0.9),
    TruncatedSVDReducer(0.8, groups=2, center=True),
    TruncatedSVDReducer(0.95, solver="krylov", center=True),
    TruncatedSVDReducer("auto"),
    TruncatedSVDReducer("auto", groups=3, solver="gram", center=True),
    TruncatedSVDReducer(3, n_jobs=2, solver="gram"),
]
