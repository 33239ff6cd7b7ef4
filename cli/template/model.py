"""Trains and applies the model: plain functions over data frames."""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

LABEL = "left"


def train(data: pd.DataFrame, strength: float) -> Pipeline:
    """Fits a logistic regression on everything but the label."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
    return model.fit(data.drop(columns=[LABEL]), data[LABEL])


def predict(model: Pipeline, data: pd.DataFrame):
    """The probability of leaving for each customer."""
    return model.predict_proba(data)[:, 1]
