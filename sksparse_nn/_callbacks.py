"""Epochs, each told to the callbacks that scikit-learn has from version 1.9 on.

Before, estimators have no `set_callbacks` and run
without.
"""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Stand in for the mixin of later versions."""

        def _init_callback_context(self, **options):
            return _NoContext()

    def with_callbacks(method):
        """Return the method as it is.

        Parameters
        ----------
        method : callable
            A method that fits.

        Returns
        -------
        method : callable
            The same.
        """
        return method


class _NoContext:
    def subcontext(self, **options):
        return self

    def call_on_fit_task_begin(self, **options):
        return self

    def call_on_fit_task_end(self, **options):
        return False


class Epochs:
    """The epochs of a fit, each told to the callbacks of its estimator.

    Parameters
    ----------
    estimator : estimator instance
        With :class:`CallbackSupportMixin`; its fit is decorated `with_callbacks`.

    n_epochs : int
        How many there are at most.
    """

    def __init__(self, estimator, n_epochs):
        self._estimator = estimator
        self._n_epochs = n_epochs
        self._context = estimator._init_callback_context(max_subtasks=n_epochs)

    def run(self, epoch, X, fitted):
        """Run epochs until there have been enough, or it or a callback says stop.

        Parameters
        ----------
        epoch : callable
            Runs one; true when it was the last.

        X : ndarray or CSR matrix of shape (n_samples, n_features)
            What is fitted, for callbacks that ask for it.

        fitted : callable
            Returns the attributes, by name, of an estimator that stops here.
        """
        told = {"estimator": self._estimator, "X": X}
        self._context.call_on_fit_task_begin(**told)
        for _ in range(self._n_epochs):
            task = self._context.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(**told)
            last = epoch()
            stop = task.call_on_fit_task_end(reconstruction_attributes=fitted, **told)
            if last or stop:
                break
        self._context.call_on_fit_task_end(reconstruction_attributes=fitted, **told)
