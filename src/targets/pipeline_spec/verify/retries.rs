//! Retries: durations as protobuf writes them, and a factor that makes sense.

use super::context::{Context, TaskPlace};
use super::finding::{FindingKind, Findings};

/// Waits and the factor between them.
pub(super) fn policy(_: &Context<'_>, place: &TaskPlace<'_>, findings: &mut Findings) {
    let Some(policy) = &place.task.retry_policy else { return };
    let waits = [
        ("backoffDuration", &policy.backoff_duration),
        ("backoffMaxDuration", &policy.backoff_max_duration),
    ];
    for (field, wait) in waits {
        if let Some(wait) = wait.as_deref().filter(|wait| !is_duration(wait)) {
            findings.add(
                FindingKind::RetryPolicy,
                place.at(&["retryPolicy", field]),
                format!(
                    "The wait of the task `{}` between retries is `{wait}`, which is no duration.",
                    place.name
                ),
                "Write seconds, as in `30s` or `0.5s`.",
            );
        }
    }
    if let Some(factor) = policy
        .backoff_factor
        .filter(|factor| !(factor.is_finite() && *factor >= 0.0))
    {
        findings.add(
            FindingKind::RetryPolicy,
            place.at(&["retryPolicy", "backoffFactor"]),
            format!(
                "Each wait of the task `{}` is {factor} times the one before, which is no wait.",
                place.name
            ),
            "Write a number of at least 1.",
        );
    }
}

/// Seconds with at most nine digits after the point, as protobuf's JSON has them.
fn is_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else {
        return false;
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole, 12) && is_digits(fraction, 9)
}

#[cfg(test)]
mod tests {
    use super::is_duration;

    #[test]
    fn durations_are_seconds() {
        for good in ["0s", "30s", "3600s", "0.5s", "1.123456789s"] {
            assert!(is_duration(good), "{good}");
        }
        for bad in ["", "s", "30", "-1s", "1.s", ".5s", "1.1234567890s", "5m", "30 s", "１s"] {
            assert!(!is_duration(bad), "{bad}");
        }
    }
}
