"""Where the page of an estimator is."""


class Documented:
    """An estimator whose HTML diagram links to its page in the documentation."""

    _doc_link_module = "sksparse_nn"
    _doc_link_template = (
        "https://sksparse-nn.readthedocs.io/en/stable/generated/"
        "sksparse_nn.{estimator_name}.html"
    )
