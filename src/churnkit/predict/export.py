"""The fitted scikit-learn estimators, for use outside churnkit."""

from pathlib import Path

from churnkit.customers.attributes import Attributes
from churnkit.customers.snapshot import Orders, order_book
from churnkit.errors import ShortHistoryError
from churnkit.models.boosting import boosting_estimator
from churnkit.models.logistic import logistic_estimator
from churnkit.predict.fitting import directions, spline_columns
from churnkit.predict.model import ChurnModel
from churnkit.predict.stack import horizon_rows, training_book


def export_sklearn(orders: Orders, model: ChurnModel, path: Path, attributes: Attributes | None = None) -> None:
    """Write the fitted scikit-learn estimators of a model with joblib, for use outside churnkit.

    The fits are repeated from the same orders, so the estimators are those of the model. churnkit never reads such a
    file: loading it runs code.

    Raises:
        ShortHistoryError: The model has no learned members.
    """
    import joblib

    book = training_book(order_book(orders, attributes), model.cutoff)
    read = (model.features, model.attributes)
    rows = horizon_rows(book, model.cutoff, model.horizon_days, model.features, model.money_unit, model.attributes)
    if rows is None or "boosting" not in model.blend.learned:
        raise ShortHistoryError(
            "this model has no scikit-learn estimators: there was too little history to learn from",
            hint="leave out --export-sklearn, or train on a longer history",
        )
    boosting = boosting_estimator(rows.X, rows.churned, monotone=directions(*read), seed=model.seed)
    logistic = logistic_estimator(rows.X, rows.churned, spline_columns=spline_columns(*read), seed=model.seed)
    content: dict[str, object] = {"features": list(model.features), "money_unit": model.money_unit}
    if model.attributes:
        content["attributes"] = [attribute.to_manifest() for attribute in model.attributes]
    joblib.dump(content | {"boosting": boosting, "logistic": logistic}, path)
