"""The coder of a network estimator: fitted ahead of the network, and tuned with it."""

from copy import copy, deepcopy

import numpy as np
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from torch import nn

from sksparse_nn._callbacks import no_task
from sksparse_nn._validation import FLOAT_TYPES
from sksparse_nn.modules._coded import CodedNetwork, Scale, SplitSign
from sksparse_nn.modules._facts import is_linear, make_plain
from sksparse_nn.modules._first_layer import FirstLayerError
from sksparse_nn.modules._modes import own_modes
from sksparse_nn.modules._networks import PATCH_NET
from sksparse_nn.modules._run import run
from sksparse_nn.neural._batches import TrainingSamples
from sksparse_nn.neural._coder_record import record_coder
from sksparse_nn.neural._patch_net import default_patch_coder
from sksparse_nn.neural._scale_of_codes import choose_some, root_mean_square


class HasCoder:
    """A network estimator that may have a coder ahead of its network."""

    _is_tuned = False
    _coder_record = None

    @property
    def _has_patch_net(self):
        """Whether the coder gives maps, for convolutions."""
        return isinstance(self.module, str) and self.module == PATCH_NET

    def _chosen_coder(self):
        """Return the coder to fit, or None."""
        if self.coder is None and self._has_patch_net:
            return default_patch_coder(self.image_shape_)
        return self.coder

    def _fit_coder(self, samples, task=no_task):
        """Fit a copy of the coder to training samples, without their labels."""
        self._check_coder()
        for name in ("coder_", "_coder_record"):
            vars(self).pop(name, None)
        coder = self._chosen_coder()
        self._is_tuned = self._has_patch_net or (
            coder is not None and bool(self.tune_coder)
        )
        if coder is None:
            return
        self._coder_record = record_coder(coder, self.tune_coder)
        if isinstance(coder, FrozenEstimator):
            check_is_fitted(coder.estimator)
            self.coder_ = deepcopy(coder.estimator)
            return
        from sksparse_nn.neural._coding_layers import seed_coder

        coder = clone(coder)
        seed_coder(coder, self._rng)
        weights = {}
        is_weighted = (samples.row_weight != 1).any()
        if is_weighted and has_fit_parameter(coder, "sample_weight"):
            weights["sample_weight"] = samples.row_weight
        with task.lend("fit-coder", coder):
            self.coder_ = coder.fit(samples.X, **weights)
        if hasattr(self, "feature_names_in_"):
            self.coder_.feature_names_in_ = self.feature_names_in_

    def _check_coder(self):
        """Raise if a parameter is set that nothing reads."""
        if self.coder is None and not (self.tune_coder or self._has_patch_net):
            raise ValueError(
                "tune_coder is read with a coder only. Got tune_coder=False with "
                "coder=None; give a coder, or leave it out."
            )
        self._check_reconstruction()

    def _check_reconstruction(self):
        """Raise if the weight of the reconstruction is set and nothing reads it."""
        if self.reconstruction and not (self.coder is not None and self.tune_coder):
            raise ValueError(
                "reconstruction is read with a coder that is tuned. Got "
                f"reconstruction={self.reconstruction} with coder={self.coder!r} and "
                f"tune_coder={self.tune_coder}; set reconstruction=0."
            )

    @property
    def _codes_first(self):
        """Whether the network takes codes, as the coder is not tuned."""
        return "coder_" in vars(self) and not self._is_tuned

    def _check_reconstructs(self):
        """Raise if there is to be a reconstruction and the codes give none."""
        if not self.reconstruction:
            return
        if self._has_patch_net:
            raise ValueError(
                'reconstruction is not read by module="patch_net". Got '
                f"reconstruction={self.reconstruction}; set reconstruction=0."
            )
        coder = vars(self).get("coder_")
        if not hasattr(coder, "inverse_transform"):
            raise ValueError(
                "reconstruction needs codes that approximate samples. Got "
                f"reconstruction={self.reconstruction} with coder={coder!r}, which "
                "has no inverse_transform; set reconstruction=0."
            )

    def _code(self, X):
        """Return what the network takes."""
        if not self._codes_first:
            return X
        coder = self.coder_
        if hasattr(coder, "feature_names_in_"):
            coder = copy(coder)
            del coder.feature_names_in_  # they are checked already
        return coder.transform(X)

    def _encode(self, samples):
        """Return samples in the form that the network takes."""
        if not self._codes_first:
            return samples
        codes = self._code(samples.X)
        codes = check_array(codes, accept_sparse="csr", dtype=FLOAT_TYPES)
        return TrainingSamples(
            codes, samples.y, samples.weight, row_weight=samples.row_weight
        )

    def _store_coder(self, samples=None):
        """Store in the coder what its layer has learnt."""
        if not self._is_tuned or "coder_" not in vars(self):
            return
        if _is_linear_map(self.net_.module_.coding):
            del self.coder_  # its directions are not orthonormal any more
            return
        from sksparse_nn.neural._coding_layers import store_layer

        coder = copy(self.coder_)
        with own_modes():
            store_layer(coder, make_plain(self.net_.module_.coding), samples)
        self.coder_ = coder

    def _atoms(self):
        """Return the atoms of the coder, if it has any."""
        coder = vars(self).get("coder_")
        if coder is None:
            self._check_first_layer_is_linear()
            return None
        if not hasattr(coder, "components_"):
            raise FirstLayerError(
                "feature importances behind a coder need its components_. Got "
                f"{type(coder).__name__}, which has none."
            )
        if coder.components_.shape[1] != self.n_features_in_:
            raise FirstLayerError(
                "feature importances behind a coder need atoms of whole samples. Got "
                f"{type(coder).__name__}, whose atoms are of patches; use attribute."
            )
        atoms = coder.components_.astype(np.float64)
        return np.vstack([atoms, -atoms]) if _splits(coder) else atoms

    def _check_first_layer_is_linear(self):
        coding = self._is_tuned and self.net_.module_.coding
        if coding and not _is_linear_map(coding):
            raise FirstLayerError(
                "feature importances need the coder. Got a network that is for "
                "prediction only; use the one that it was made of."
            )

    def _split_steps(self):
        """Return the coder and a network behind it, or the network alone."""
        coder = vars(self).get("coder_")
        if coder is None or self._has_patch_net:
            return [self]
        network = copy(self)
        if self._is_tuned:
            network.net_ = copy(self.net_)
            network.net_.module_ = _behind_codes(self.net_.module_)
        for name in ("coder_", "_coder_record", "feature_names_in_", "image_shape_"):
            vars(network).pop(name, None)
        network.coder, network._is_tuned = None, False
        network.tune_coder, network.reconstruction = True, 0.0
        network.image_shape = None
        network.n_features_in_ = n_codes(coder)
        return [coder, network]


def _is_linear_map(coding):
    """Return whether what was a layer of directions is one linear layer, or factors."""
    layers = coding if isinstance(coding, nn.Sequential) else [coding]
    return all(map(is_linear, layers))


def build_coded(spec, estimator, samples, **settings):
    """Build a network behind a coder that is tuned.

    Parameters
    ----------
    spec : ModuleSpec
        Describes the network behind the codes.

    estimator : SparseNetClassifier or SparseNetRegressor
        With a fitted coder.

    samples : TrainingSamples
        Training samples.

    **settings : dict
        Passed on to `spec`.

    Returns
    -------
    network : CodedNetwork
        The whole.
    """
    from sksparse_nn.neural._coding_layers import make_layer

    coder = estimator.coder_
    estimator._check_reconstructs()
    coding = make_layer(coder, learn_alpha=estimator.tune_coder == "all").to(spec.dtype)
    some = choose_some(samples)
    [codes] = run(coding.eval(), some.X, len(some), use=list)
    scale = Scale(1 / (root_mean_square(codes.numpy(), some.row_weight) or 1.0))
    if n_codes(coder) != codes.shape[1]:
        scale = torch.nn.Sequential(SplitSign(), scale)
    network = CodedNetwork.of(coding, scale, spec.build(**settings)).to(spec.dtype)
    network.dropout = estimator.dropout
    network.reconstruction = estimator.reconstruction
    energy = some.shape[1] * root_mean_square(some.X, some.row_weight) ** 2
    network.energy = energy or 1.0
    return network


def n_codes(coder):
    """Return the number of codes per sample.

    Parameters
    ----------
    coder : transformer
        Fitted.

    Returns
    -------
    n_codes : int
        Width of what `transform` returns.
    """
    if hasattr(coder, "_n_features_out"):
        return coder._n_features_out
    return len(coder.get_feature_names_out())


def _splits(coder):
    return getattr(coder, "split_sign", False)


def _behind_codes(module):
    """Return the scale and the network behind the codes, as one network."""
    scale, head = module.scale, module.head
    scale = scale[-1] if isinstance(scale, torch.nn.Sequential) else scale
    layer = getattr(head, "sparse_layer", None)
    if layer is None:
        return torch.nn.Sequential(scale, head)
    first = deepcopy(layer)
    with torch.no_grad():
        first.weight *= scale.factor
    return type(head)(first, *list(head)[1:]).eval()


def head_of(module):
    """Return the network behind the codes.

    Parameters
    ----------
    module : torch.nn.Module
        Of an estimator.

    Returns
    -------
    head : torch.nn.Module
        The module itself if it has no coder.
    """
    return module.head if isinstance(module, CodedNetwork) else module
