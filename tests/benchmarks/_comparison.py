"""What measurements say: distances to the best of six, losses against absence."""

import numpy as np
import pandas as pd

from tests.benchmarks._contenders import CONTENDERS, NETWORK

# By so much a score is worse and not different by chance.
_WORSE = 0.02

_KINDS = {contender.name: contender.kind for contender in CONTENDERS}
_SIX = [contender.name for contender in CONTENDERS if contender.of_six]
_ORDER = list(_KINDS)


def comparison(measurements):
    """Return a row a table and model.

    Parameters
    ----------
    measurements : DataFrame
        A row a table, split and model.

    Returns
    -------
    rows : DataFrame
        Means over splits, medians of seconds, sums of warnings; how far the score is
        from that of the best of six, and how far below that of the network alone.
    """
    keys = ["table", "measure", "rows", "columns", "model"]
    rows = (
        _in_order(measurements)
        .groupby(keys, sort=False, as_index=False)
        .agg(
            **{
                "score": ("score", "mean"),
                "±": ("score", "std"),
                "log loss": ("log loss", "mean"),
                "s to fit": ("s to fit", "median"),
                "convergence warnings": ("convergence warnings", "sum"),
                "other warnings": ("other warnings", "sum"),
            }
        )
    )
    scores = rows.pivot_table(index="table", columns="model", values="score")
    best, absence = scores.reindex(columns=_SIX).max(axis=1), scores[NETWORK]
    rows["to best"] = (rows["table"].map(best) - rows["score"]).clip(lower=0)
    rows["lost"] = rows["table"].map(absence) - rows["score"]
    rows.loc[rows["model"].map(_KINDS) == "alone", "lost"] = np.nan
    return rows.round(
        {"score": 3, "±": 3, "log loss": 3, "s to fit": 2, "to best": 3, "lost": 3}
    )


def scores_by_table(rows):
    """Return a row a table, with the scores of the six and the measure.

    Parameters
    ----------
    rows : DataFrame
        From `comparison`.
    """
    keys = ["table", "rows", "columns", "measure"]
    wide = rows[rows["model"].isin(_SIX)].pivot(
        index=keys, columns="model", values="score"
    )
    return wide[_SIX].reset_index().sort_values(["measure", "table"])


def summary(rows):
    """Return a row a model: distances and losses over the tables.

    Parameters
    ----------
    rows : DataFrame
        From `comparison`.
    """
    seconds = rows.pivot(index="table", columns="model", values="s to fit")
    log_losses = rows.pivot(index="table", columns="model", values="log loss")
    by_model = rows.groupby("model", sort=False)
    found = by_model.agg(
        **{
            "tables": ("table", "count"),
            "to best, mean": ("to best", "mean"),
            "to best, worst": ("to best", "max"),
            "lost, mean": ("lost", "mean"),
            "lost, worst": ("lost", "max"),
            f"tables that lose more than {_WORSE}": (
                "lost",
                lambda p: (p > _WORSE).sum(),
            ),
            "convergence warnings": ("convergence warnings", "sum"),
            "other warnings": ("other warnings", "sum"),
        }
    )
    found.insert(
        5, "log loss, change", log_losses.sub(log_losses[NETWORK], axis=0).mean()
    )
    found.insert(7, "times to fit", seconds.div(seconds[NETWORK], axis=0).median())
    found = found.sort_index(key=_places).round(3)
    return found.reset_index()


def losses(rows):
    """Return a sentence for each table and default that does harm.

    Parameters
    ----------
    rows : DataFrame
        From `comparison`.
    """
    alone = rows[rows["model"] == NETWORK]
    without = alone.set_index("table")["score"]
    behind = alone[alone["to best"] > _WORSE]
    worse = rows[rows["lost"] > _WORSE].sort_values("model", key=_places, kind="stable")
    sentences = [
        *(_behind(row) for row in behind.to_dict("records")),
        *(_worse(row, without[row["table"]]) for row in worse.to_dict("records")),
    ]
    return pd.DataFrame(sentences, columns=["default", "what it loses"])


def _places(models):
    """Return where each model stands in the list."""
    return models.map(_ORDER.index)


def _in_order(measurements):
    """Sort by table, models as they are listed."""
    rows = measurements.sort_values("model", key=_places, kind="stable")
    return rows.sort_values("table", kind="stable")


def _behind(row):
    return {
        "default": NETWORK,
        "what it loses": f"On {row['table']} its {row['measure']} is "
        f"{row['score']:.3f}, {row['to best']:.3f} below that of the best of the six.",
    }


def _worse(row, without):
    return {
        "default": row["model"],
        "what it loses": f"On {row['table']} the {row['measure']} is "
        f"{row['score']:.3f} with it and {without:.3f} without.",
    }
