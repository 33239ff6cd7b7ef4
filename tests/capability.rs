//! The table of what each target can express is whole, and says the way out wherever it says no.

use mlp::targets::TargetName;
use mlp::targets::capability::{Feature, Support, support};

#[test]
fn every_refusal_says_why_and_the_way_out() {
    for target in TargetName::ALL {
        for feature in Feature::ALL {
            if let Support::Refused { why, way_out } = support(target, feature) {
                let place = format!("{}, {}", target.name(), feature.name());
                assert!(!why.ends_with('.'), "{place}: {why}");
                assert!(
                    way_out.ends_with('.') && way_out.starts_with(char::is_uppercase),
                    "{place}: {way_out}"
                );
            }
        }
    }
}

#[test]
fn features_are_listed_once() {
    let mut features = Feature::ALL.to_vec();
    features.sort_unstable();
    features.dedup();
    assert_eq!(features.len(), Feature::ALL.len());
}
