"""Datasets and what the reference implementations say about them, as JSON on standard output.

The data travels with the expected values, so the two sides share no random numbers. Where a definition of ours has no
counterpart in scikit-learn, SciPy or fairlearn, it is computed here from the definition by another route.
"""

import json
import math
import warnings

import numpy as np
from fairlearn import metrics as fair
from scipy import stats
from sklearn import metrics as sk

warnings.simplefilter("ignore")


def delong(labels, scores):
    """Structural components by comparing every positive with every negative."""
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


def delong_covariance(labels, first, second):
    (first_positive, first_negative), (second_positive, second_negative) = delong(labels, first), delong(labels, second)
    return (
        np.cov(first_positive, second_positive)[0, 1] / len(first_positive)
        + np.cov(first_negative, second_negative)[0, 1] / len(first_negative)
    )


def calibration_error(hits, confidence):
    ends = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    bins = np.digitize(confidence, ends, right=True)
    total = 0.0
    for index in np.unique(bins):
        inside = bins == index
        total += inside.mean() * abs(hits[inside].mean() - confidence[inside].mean())
    return total


def quality(labels, scores):
    decisions = (scores >= 0.5).astype(int)
    precision, recall, _ = sk.precision_recall_curve(labels, scores)
    return {
        "auc": sk.roc_auc_score(labels, scores),
        "average_precision": sk.average_precision_score(labels, scores),
        "pr_auc_trapezoid": sk.auc(recall, precision),
        "log_loss": sk.log_loss(labels, scores),
        "brier": sk.brier_score_loss(labels, scores),
        "ece": calibration_error(labels, scores),
        "accuracy": sk.accuracy_score(labels, decisions),
        "precision": sk.precision_score(labels, decisions),
        "recall": sk.recall_score(labels, decisions),
        "specificity": sk.recall_score(labels, decisions, pos_label=0),
        "f1": sk.f1_score(labels, decisions),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, decisions),
        "mcc": sk.matthews_corrcoef(labels, decisions),
        "selection_rate": fair.selection_rate(labels, decisions),
    }


def fairness(labels, scores, groups):
    decisions = (scores >= 0.5).astype(int)
    about = {"y_true": labels, "y_pred": decisions, "sensitive_features": groups}
    precision = fair.MetricFrame(metrics=sk.precision_score, **about)
    errors = [calibration_error(labels[groups == group], scores[groups == group]) for group in np.unique(groups)]
    return {
        "demographic_parity": fair.demographic_parity_difference(**about),
        "demographic_parity_ratio": fair.demographic_parity_ratio(**about),
        "disparate_impact": fair.MetricFrame(metrics=fair.selection_rate, **about).ratio(),
        "equalized_odds": fair.equalized_odds_difference(**about),
        "equalized_odds_ratio": fair.equalized_odds_ratio(**about),
        "average_odds": fair.equalized_odds_difference(agg="mean", **about),
        "equal_opportunity": fair.equal_opportunity_difference(**about),
        "predictive_parity": precision.difference(),
        "calibration_difference": max(errors) - min(errors),
    }


def binary(seed, rows, share, decimals):
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < share).astype(int)
    logits = random.normal(0.9 * labels - 0.5, 1.0)
    scores = 1 / (1 + np.exp(-logits))
    rival = 1 / (1 + np.exp(-(0.7 * logits + random.normal(0, 0.6, rows))))
    if decimals is not None:
        scores, rival = scores.round(decimals), rival.round(decimals)
    groups = random.choice(["female", "male", "other"], rows, p=[0.45, 0.4, 0.15])
    variance = delong_covariance(labels, scores, scores)
    rival_variance = delong_covariance(labels, rival, rival)
    difference = variance + rival_variance - 2 * delong_covariance(labels, scores, rival)
    return {
        "labels": [bool(label) for label in labels],
        "probabilities": scores.tolist(),
        "rival": rival.tolist(),
        "groups": groups.tolist(),
        "expected": quality(labels, scores),
        "fairness": fairness(labels, scores, groups),
        "delong": {"variance": variance, "variance_of_difference": difference},
    }


def multiclass(seed, rows):
    random = np.random.default_rng(seed)
    classes = ["bird", "cat", "dog", "fish"]
    labels = random.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    logits = random.normal(0, 1, (rows, 4))
    logits[np.arange(rows), labels] += 1.2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    decisions = probabilities.argmax(axis=1)
    expected = {
        "accuracy": sk.accuracy_score(labels, decisions),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, decisions),
        "auc.ovr_macro": sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"),
        "log_loss": sk.log_loss(labels, probabilities),
        "brier": sk.brier_score_loss(labels, probabilities, labels=[0, 1, 2, 3], scale_by_half=False),
        "ece": calibration_error((labels == decisions).astype(float), probabilities.max(axis=1)),
    }
    for average in ["macro", "micro", "weighted"]:
        for name, score in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
            expected[f"{name}.{average}"] = score(labels, decisions, average=average, zero_division=0)
    return {
        "classes": classes,
        "labels": labels.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "expected": expected,
    }


def regression(seed, rows):
    random = np.random.default_rng(seed)
    labels = random.gamma(2.0, 15.0, rows) + 0.1
    predictions = np.maximum(labels + random.normal(0, 8, rows), 0)
    return {
        "labels": labels.tolist(),
        "predictions": predictions.tolist(),
        "expected": {
            "rmse": sk.root_mean_squared_error(labels, predictions),
            "mae": sk.mean_absolute_error(labels, predictions),
            "median_absolute_error": sk.median_absolute_error(labels, predictions),
            "r2": sk.r2_score(labels, predictions),
            "mape": sk.mean_absolute_percentage_error(labels, predictions),
            "wape": np.abs(labels - predictions).sum() / np.abs(labels).sum(),
            "rmsle": sk.root_mean_squared_log_error(labels, predictions),
        },
    }


def mcnemar(b, c):
    if b + c < 25:
        return {"b": b, "c": c, "p": stats.binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0}
    return {"b": b, "c": c, "p": stats.chi2.sf((abs(b - c) - 1) ** 2 / (b + c), 1)}


def wilson(successes, trials):
    interval = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    return {"successes": successes, "trials": trials, "low": interval.low, "high": interval.high}


def latency(seed, count):
    values = np.random.default_rng(seed).gamma(2.0, 3.0, count)
    quantiles = {"latency.p50": 0.5, "latency.p90": 0.9, "latency.p95": 0.95, "latency.p99": 0.99}
    expected = {name: np.quantile(values, q, method="inverted_cdf") for name, q in quantiles.items()}
    return {"values": values.tolist(), "expected": expected}


def paired(b, c, rows):
    """Bonett and Price's interval by its textbook formula."""
    first, second = (b + 1) / (rows + 2), (c + 1) / (rows + 2)
    error = math.sqrt((first + second - (first - second) ** 2) / (rows + 2))
    return {"b": b, "c": c, "rows": rows, "centre": first - second, "error": error}


print(
    json.dumps(
        {
            "binary": [
                binary(1, 250, 0.3, None),
                binary(2, 400, 0.5, 1),
                binary(3, 1000, 0.1, 2),
                binary(4, 3000, 0.7, None),
            ],
            "multiclass": [multiclass(5, 300), multiclass(6, 1200)],
            "regression": [regression(7, 250), regression(8, 1001)],
            "mcnemar": [mcnemar(*pair) for pair in [(0, 0), (3, 9), (12, 12), (1, 23), (20, 5), (40, 41), (90, 60)]],
            "wilson": [wilson(*pair) for pair in [(0, 12), (12, 12), (7, 30), (190, 250), (9999, 10000)]],
            "latency": [latency(9, 300), latency(10, 299), latency(11, 2000)],
            "paired": [paired(*row) for row in [(0, 0, 98), (12, 20, 250), (300, 250, 10000)]],
        },
        default=float,
    )
)
