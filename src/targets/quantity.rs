//! Quantities as Kubernetes writes them.

/// Bytes, in the largest unit that divides them: `4Gi`; a bare number is bytes.
pub(super) fn bytes(bytes: u64) -> String {
    let units = [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
    let found = units
        .into_iter()
        .find(|(_, power)| bytes > 0 && bytes.is_multiple_of(1 << power));
    match found {
        Some((unit, power)) => format!("{}{unit}", bytes >> power),
        None => bytes.to_string(),
    }
}

/// Thousandths of a core: `2`, or `500m`.
pub(super) fn cores(millis: u64) -> String {
    if millis.is_multiple_of(1_000) {
        (millis / 1_000).to_string()
    } else {
        format!("{millis}m")
    }
}
