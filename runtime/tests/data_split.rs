//! The operations `split` and `mask`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod data_support;

use std::collections::BTreeSet;

use data_support::{Bench, choice, column, dataset_item, input_error, rows, schema};
use mlp::plan::{MaskMethod, Operation, SplitMethod, SplitPart};
use mlp::types::{DataKind, Schema};
use proptest::prelude::{ProptestConfig, prop, prop_assert, prop_assert_eq, proptest};

fn events() -> Schema {
    schema(
        "Event",
        vec![
            column("id", DataKind::Int),
            column("kind?", choice(&["a", "b"])),
            column("at?", DataKind::Datetime),
            column("who?", DataKind::String),
        ],
    )
}

const HEADER: &str = "id,kind,at,who\n";

fn parts(fractions: &[(&str, f64)]) -> Vec<SplitPart> {
    fractions
        .iter()
        .map(|(name, fraction)| SplitPart {
            name: (*name).to_owned(),
            fraction: *fraction,
        })
        .collect()
}

fn split(method: SplitMethod, fractions: &[(&str, f64)]) -> Operation {
    Operation::Split {
        method,
        parts: parts(fractions),
    }
}

/// Splits rows; each part's rows.
fn parted(csv: &str, method: SplitMethod, fractions: &[(&str, f64)]) -> Result<Vec<Vec<String>>, String> {
    let mut bench = Bench::new(vec![events()]);
    let data = bench.land("Event", &format!("{HEADER}{csv}"));
    match bench.run(split(method, fractions), &[("data", dataset_item(&data))]) {
        Ok((_, outputs)) => Ok(fractions.iter().map(|(name, _)| rows(&outputs.join(name))).collect()),
        Err(error) => Err(input_error(error).0),
    }
}

fn ids(rows: &[String]) -> Vec<u64> {
    rows.iter()
        .map(|row| row.split('|').next().unwrap().parse().unwrap())
        .collect()
}

fn thousand() -> String {
    (0..1_000)
        .map(|id| {
            let kind = if id % 10 < 7 { "a" } else { "b" };
            format!("{id},{kind},2026-01-{:02}T00:00:00Z,user{}\n", id % 28 + 1, id % 50)
        })
        .collect()
}

const TRAIN_TEST: [(&str, f64); 2] = [("train", 0.75), ("test", 0.25)];

#[test]
fn random_parts_are_exact_and_the_same_on_every_machine() {
    let both = parted(&thousand(), SplitMethod::Random { seed: 42 }, &TRAIN_TEST).unwrap();
    assert_eq!((both[0].len(), both[1].len()), (750, 250));
    assert_eq!(ids(&both[1])[..8], [2, 6, 7, 9, 14, 19, 24, 26]);
    let other = parted(&thousand(), SplitMethod::Random { seed: 43 }, &TRAIN_TEST).unwrap();
    assert_ne!(both, other);
}

#[test]
fn strata_are_split_exactly() {
    let method = SplitMethod::Stratified {
        column: "kind".to_owned(),
        seed: 42,
    };
    let both = parted(&thousand(), method, &TRAIN_TEST).unwrap();
    let of_a = |rows: &[String]| rows.iter().filter(|row| row.contains("|a|")).count();
    assert_eq!((of_a(&both[0]), of_a(&both[1])), (525, 175));
    assert_eq!((both[0].len(), both[1].len()), (750, 250));
}

#[test]
fn absent_values_are_a_stratum() {
    let rows: String = (0..40)
        .map(|id| format!("{id},{},,\n", if id < 20 { "" } else { "b" }))
        .collect();
    let method = SplitMethod::Stratified {
        column: "kind".to_owned(),
        seed: 1,
    };
    let both = parted(&rows, method, &[("train", 0.5), ("test", 0.5)]).unwrap();
    assert_eq!(ids(&both[0]).iter().filter(|id| **id < 20).count(), 10);
}

#[test]
fn earlier_times_come_first_and_equal_times_stay_together() {
    let rows =
        "1,,2026-01-03T00:00:00Z,\n2,,2026-01-01T00:00:00Z,\n3,,2026-01-02T00:00:00Z,\n4,,2026-01-02T00:00:00Z,\n";
    let time = SplitMethod::Time {
        column: "at".to_owned(),
    };
    let both = parted(rows, time.clone(), &[("train", 0.5), ("test", 0.5)]).unwrap();
    assert_eq!((ids(&both[0]), ids(&both[1])), (vec![2, 3, 4], vec![1]));
    let same = "1,,2026-01-03T00:00:00Z,\n2,,2026-01-03T00:00:00Z,\n";
    assert_eq!(
        parted(same, time.clone(), &TRAIN_TEST).unwrap_err(),
        "The part `test` of the split is empty: the data has 2 rows."
    );
    assert_eq!(
        parted("1,,2026-01-03T00:00:00Z,\n2,,,\n", time, &TRAIN_TEST).unwrap_err(),
        "Row 2 has no `at`, so it is neither earlier nor later than the others."
    );
    let kind = SplitMethod::Time {
        column: "kind".to_owned(),
    };
    assert_eq!(
        parted("1,a,,\n", kind, &TRAIN_TEST).unwrap_err(),
        "The column `kind` holds string, not dates or datetimes."
    );
}

#[test]
fn rows_of_one_key_stay_together() {
    let method = SplitMethod::Key {
        columns: vec!["who".to_owned()],
        seed: 7,
    };
    let both = parted(&thousand(), method, &TRAIN_TEST).unwrap();
    let who = |rows: &[String]| {
        rows.iter()
            .map(|row| row.split('|').nth(3).unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(who(&both[0]).is_disjoint(&who(&both[1])));
    assert_eq!(both[0].len() + both[1].len(), 1_000);
}

#[test]
fn splits_that_cannot_be_are_refused() {
    assert_eq!(
        parted("1,a,,\n", SplitMethod::Random { seed: 1 }, &TRAIN_TEST).unwrap_err(),
        "The part `test` of the split is empty: the data has 1 row."
    );
    assert_eq!(
        parted(
            "1,a,,\n",
            SplitMethod::Random { seed: 1 },
            &[("train", 0.5), ("test", 0.25)]
        )
        .unwrap_err(),
        "The parts of a split add up to 0.75, not to 1, or one of them is not above 0."
    );
    let many: String = (0..10_001).map(|id| format!("{id},,,\n")).collect();
    let method = SplitMethod::Stratified {
        column: "id".to_owned(),
        seed: 1,
    };
    assert_eq!(
        parted(&many, method, &TRAIN_TEST).unwrap_err(),
        "The column `id` has more than 10,000 different values, so its rows cannot be split within each of them."
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_goes_to_one_part_and_keeps_its_order(
        kinds in prop::collection::vec(0..3_u8, 12..300),
        seed in proptest::prelude::any::<i64>(),
        method in 0..4_u8,
    ) {
        let csv: String = kinds.iter().enumerate().map(|(id, kind)| {
            let text = ["a", "b", ""][usize::from(*kind)];
            format!("{id},{text},2026-01-01T00:00:{:02}Z,u{}\n", id % 60, id % 40)
        }).collect();
        let method = match method {
            0 => SplitMethod::Random { seed },
            1 => SplitMethod::Stratified { column: "kind".to_owned(), seed },
            2 => SplitMethod::Time { column: "at".to_owned() },
            _ => SplitMethod::Key { columns: vec!["who".to_owned(), "kind".to_owned()], seed },
        };
        let fractions = [("train", 0.6), ("validation", 0.2), ("test", 0.2)];
        if let Ok(parts) = parted(&csv, method.clone(), &fractions) {
            let mut all = Vec::new();
            for part in &parts {
                let own = ids(part);
                prop_assert!(own.is_sorted());
                all.extend(own);
            }
            all.sort_unstable();
            prop_assert_eq!(all, (0..kinds.len() as u64).collect::<Vec<_>>());
            if matches!(method, SplitMethod::Random { .. }) {
                let exact = (kinds.len() as f64 * 0.6).round() as usize;
                prop_assert_eq!(parts[0].len(), exact);
            }
            prop_assert_eq!(parted(&csv, method, &fractions).unwrap(), parts);
        }
    }
}

fn mask(csv: &str, columns: &[&str], method: MaskMethod) -> Result<Vec<String>, String> {
    let mut bench = Bench::new(vec![events()]);
    let data = bench.land("Event", &format!("{HEADER}{csv}"));
    let operation = Operation::Mask {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        method,
    };
    match bench.run(operation, &[("data", dataset_item(&data))]) {
        Ok((_, outputs)) => Ok(rows(&outputs.join("output"))),
        Err(error) => Err(input_error(error).0),
    }
}

#[test]
fn each_method_masks_as_it_says() {
    let row = "1,a,2026-05-06T07:08:09Z,ann@x.org\n2,,,\n";
    let of = |columns: &[&str], method| mask(row, columns, method).unwrap();
    assert_eq!(
        of(&["who"], MaskMethod::Email),
        ["1|a|2026-05-06T07:08:09Z|XXXXX@x.org", "2|none|none|none"]
    );
    assert_eq!(
        of(&["who"], MaskMethod::LastFour)[0],
        "1|a|2026-05-06T07:08:09Z|XXXX.org"
    );
    assert_eq!(
        of(&["who", "kind"], MaskMethod::FirstFour)[0],
        "1|aXXXX|2026-05-06T07:08:09Z|ann@XXXX"
    );
    assert_eq!(of(&["who"], MaskMethod::Null)[0], "1|a|2026-05-06T07:08:09Z|none");
    assert_eq!(
        of(&["id", "at", "who"], MaskMethod::Default),
        ["0|a|1970-01-01T00:00:00Z|", "0|none|none|none"]
    );
    assert_eq!(of(&["at"], MaskMethod::Year)[0], "1|a|2026-01-01T00:00:00Z|ann@x.org");
    let hashed = of(&["who", "id"], MaskMethod::Hash);
    let cells: Vec<&str> = hashed[0].split('|').collect();
    assert!(
        cells[0].len() == 32 && cells[3].len() == 32 && cells[0] != cells[3],
        "{hashed:?}"
    );
    assert!(hashed[1].ends_with("|none|none|none"));
}

#[test]
fn a_short_text_is_not_shown_by_its_last_four_characters() {
    assert_eq!(
        mask("1,,,abcd\n", &["who"], MaskMethod::LastFour).unwrap(),
        ["1|none|none|XXXX"]
    );
}

#[test]
fn masks_that_cannot_be_are_refused() {
    assert_eq!(
        mask("1,,,\n", &["id"], MaskMethod::Email).unwrap_err(),
        "The column `id` holds int, which the method `email` cannot mask."
    );
    assert_eq!(
        mask("1,,,\n", &["nobody"], MaskMethod::Null).unwrap_err(),
        "The input `data` has no column `nobody` to mask."
    );
}
