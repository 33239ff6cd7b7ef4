"""Trains and applies the credit model: plain functions over data frames."""

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

NOT_FOR_THE_MODEL = ["creditability", "age_in_years", "sex"]


def train(data: pd.DataFrame, trees: int) -> Pipeline:
    """Fits the forest on everything but the label and the protected attributes."""
    categories = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude=["number", "bool"])),
        remainder="passthrough",
    )
    forest = RandomForestClassifier(n_estimators=trees, min_samples_leaf=3, random_state=42)
    return make_pipeline(categories, forest).fit(
        data.drop(columns=NOT_FOR_THE_MODEL), data["creditability"] == "bad"
    )


def predict(model: Pipeline, data: pd.DataFrame):
    """The probability of `bad` for each application."""
    return model.predict_proba(data)[:, 1]
