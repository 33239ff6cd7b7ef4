//! The operation `read`: what it lands, and what it says when it cannot.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::result_large_err,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod data_support;

use std::io::Write;

use arrow::array::{ArrayRef, Float32Array, Int32Array, LargeStringArray, RecordBatch, TimestampNanosecondArray};
use data_support::{Bench, choice, column, input_error, rows, schema, text_item};
use mlp::plan::Operation;
use mlp::types::{DataKind, DataType, Schema};
use mlp_runtime::operations::OperationError;
use std::sync::Arc;

fn people() -> Schema {
    schema(
        "Person",
        vec![
            column("name", DataKind::String),
            column("age", DataKind::Int),
            column("score?", DataKind::Float),
            column("housing", choice(&["own", "rent", "for free"])),
            column("member", DataKind::Bool),
            column("born?", DataKind::Date),
            column("seen?", DataKind::Datetime),
            column("spent?", DataKind::Duration),
        ],
    )
}

const HEADER: &str = "name,age,score,housing,member,born,seen,spent\n";

fn read(name: &str) -> Operation {
    Operation::Read {
        schema: name.to_owned(),
    }
}

fn land(content: impl AsRef<[u8]>) -> Vec<String> {
    land_as("people.csv", content)
}

fn land_as(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    let mut bench = Bench::new(vec![people()]);
    bench.file(name, content);
    rows(
        &bench
            .run(read("Person"), &[("source", text_item(name))])
            .unwrap()
            .1
            .join("output"),
    )
}

fn refuse(content: impl AsRef<[u8]>) -> (String, String) {
    refuse_as("people.csv", content)
}

fn refuse_as(name: &str, content: impl AsRef<[u8]>) -> (String, String) {
    let mut bench = Bench::new(vec![people()]);
    bench.file(name, content);
    input_error(bench.run(read("Person"), &[("source", text_item(name))]).unwrap_err())
}

#[test]
fn values_are_read_as_their_columns_say() {
    let csv = format!("{HEADER}Ann,34,0.5,own,true,1990-02-28,2026-01-01T10:00:00+01:00,1h30min\n");
    assert_eq!(
        land(csv),
        ["Ann|34|0.5|own|true|1990-02-28|2026-01-01T09:00:00Z|1h30min"]
    );
}

#[test]
fn byte_order_mark_crlf_quotes_and_newlines_in_quotes_are_read() {
    let csv = format!(
        "\u{feff}{}\"Ann \"\"the\r\nboss\"\", Lee\",34,1,own,0,,,\r\n",
        HEADER.replace('\n', "\r\n")
    );
    assert_eq!(land(csv), ["Ann \"the\r\nboss\", Lee|34|1.0|own|false|none|none|none"]);
}

#[test]
fn unquoted_empty_fields_are_absent_and_quoted_ones_are_empty_texts() {
    let csv = format!("{HEADER},,,,,,,\n\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\n");
    assert_eq!(
        land(csv),
        [
            "none|none|none|none|none|none|none|none",
            "|none|none||none|none|none|none"
        ]
    );
}

#[test]
fn unknown_enum_texts_and_nulls_are_landed_for_validate_to_judge() {
    assert_eq!(
        land(format!("{HEADER}Ann,,1,castle,TRUE,,,\n")),
        ["Ann|none|1.0|castle|true|none|none|none"]
    );
}

#[test]
fn columns_are_matched_by_name_and_extra_ones_are_named_in_the_log() {
    let mut bench = Bench::new(vec![schema(
        "Two",
        vec![column("b", DataKind::Int), column("a", DataKind::Int)],
    )]);
    bench.file("two.csv", "a,x,b\n1,2,3\n");
    let (report, outputs) = bench.run(read("Two"), &[("source", text_item("two.csv"))]).unwrap();
    assert_eq!(rows(&outputs.join("output")), ["3|1"]);
    assert_eq!(report.summary, "1 row, 2 columns");
    assert_eq!(
        *bench.log.lock().unwrap(),
        ["left out column `x` of two.csv: not in the schema `Two`"]
    );
}

#[test]
fn equal_files_give_equal_bytes() {
    let mut bench = Bench::new(vec![people()]);
    let csv = format!("{HEADER}Ann,34,0.5,own,true,1990-02-28,2026-01-01T10:00:00Z,1h\n");
    let first = bench.land("Person", &csv);
    let second = bench.land("Person", &csv);
    assert_eq!(std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
}

#[test]
fn a_wrong_type_in_row_900_001_is_found_and_named() {
    let mut bench = Bench::new(vec![schema(
        "Two",
        vec![column("id", DataKind::Int), column("age", DataKind::Int)],
    )]);
    let mut file = std::io::BufWriter::new(std::fs::File::create(bench.path().join("big.csv")).unwrap());
    writeln!(file, "id,age").unwrap();
    for row in 1..=900_010 {
        let age = if row == 900_001 || row == 900_005 {
            "thirty"
        } else {
            "30"
        };
        writeln!(file, "{row},{age}").unwrap();
    }
    drop(file);
    let error = bench.run(read("Two"), &[("source", text_item("big.csv"))]).unwrap_err();
    let (summary, help) = input_error(error);
    assert_eq!(
        summary,
        "big.csv, row 900,001 (line 900,002): the column `age` holds \"thirty\", which is not an int."
    );
    assert_eq!(
        help,
        "2 problems like it in all; also row 900,005 (line 900,006): the column `age` holds \"thirty\", which is not \
         an int. Mend the file, or change the types in the schema."
    );
}

#[test]
fn values_that_do_not_fit_say_what_was_expected() {
    let cases = [
        ("Ann,3.5,1,own,true,,,", "`age` holds \"3.5\", which is not an int"),
        ("Ann,3,nan,own,true,,,", "`score` holds \"nan\", which is not a float"),
        (
            "Ann,3,1,own,yes,,,",
            "`member` holds \"yes\", which is not a bool (true, false, 1 or 0)",
        ),
        (
            "Ann,3,1,own,1,28.02.1990,,",
            "`born` holds \"28.02.1990\", which is not a date (YYYY-MM-DD)",
        ),
        (
            "Ann,3,1,own,1,,noon,",
            "`seen` holds \"noon\", which is not a datetime (2026-01-31T12:00:00Z)",
        ),
        (
            "Ann,3,1,own,1,,,2 h",
            "`spent` holds \"2 h\", which is not a duration (2h30min, or milliseconds)",
        ),
    ];
    for (row, expected) in cases {
        let (summary, help) = refuse(format!("{HEADER}{row}\n"));
        assert_eq!(summary, format!("people.csv, row 1 (line 2): the column {expected}."));
        assert_eq!(
            help,
            "It is the only one in the file. Mend it, or change the column's type in the schema."
        );
    }
}

#[test]
fn ragged_rows_are_counted_with_their_lines() {
    let (summary, help) = refuse(format!("{HEADER}\"A\nB\",1,1,own,1,,,\nAnn,3\nBob,3,1,own,1,,,,,\n"));
    assert_eq!(
        summary,
        "people.csv, row 2 (line 4): the row has 2 fields, the header has 8."
    );
    assert!(
        help.starts_with("2 problems like it in all; also row 3 (line 5): the row has 10 fields"),
        "{help}"
    );
}

#[test]
fn broken_quotes_are_placed() {
    let (summary, _) = refuse(format!("{HEADER}\"Ann,3,1,own,1,,,\n"));
    assert_eq!(summary, "people.csv, row 1 (line 2): a quoted field is never closed.");
    let (summary, _) = refuse(format!("{HEADER}\"Ann\"x,3,1,own,1,,,\n"));
    assert_eq!(
        summary,
        "people.csv, row 1 (line 2): text follows the closing quote of a field."
    );
}

#[test]
fn missing_columns_are_listed_with_the_nearest_names() {
    let (summary, help) = refuse("name,agee,score,housing,member,born,seen\nAnn,3,1,own,1,,\n");
    assert_eq!(summary, "people.csv has no columns `age`, `spent`.");
    assert!(help.contains("Is `agee` what the schema calls `age`?"), "{help}");
}

#[test]
fn a_file_without_a_header_is_told_apart_from_one_with_another() {
    let (summary, help) = refuse("Ann,34,0.5,own,true,,,\n");
    assert_eq!(summary, "The first line of people.csv names no column of `Person`.");
    assert!(help.contains("A CSV file begins with a line of column names"), "{help}");
}

#[test]
fn a_column_named_twice_is_refused() {
    let (summary, _) = refuse(HEADER.replace("score", "score,age"));
    assert_eq!(summary, "The header of people.csv names the column `age` twice.");
}

#[test]
fn other_kinds_of_files_are_recognised() {
    for (content, expected) in [
        (&b""[..], "people.csv is empty."),
        (b"\xEF\xBB\xBF", "people.csv is empty."),
        (b"\n\n", "people.csv holds no line."),
        (b"\xFF\xFEn\0a\0", "people.csv is UTF-16, not UTF-8."),
        (b"\x1F\x8B\x08\0", "people.csv is compressed with gzip."),
        (b"PAR1....", "people.csv is a Parquet file."),
        (b"PK\x03\x04....", "people.csv is a ZIP archive or a spreadsheet."),
    ] {
        assert_eq!(refuse(content).0, expected);
    }
    assert_eq!(refuse_as("people.jsonl", "\n").0, "people.jsonl is empty.");
    assert!(
        refuse_as("people.parquet", "PAR1")
            .0
            .starts_with("people.parquet is not a readable Parquet file")
    );
    assert_eq!(
        refuse_as("people.xlsx", "").0,
        "The extension of people.xlsx names no form that `read` knows."
    );
}

#[test]
fn bytes_that_are_not_utf8_are_placed() {
    let mut csv = HEADER.as_bytes().to_vec();
    csv.extend(b"M\xFCller,3,1,own,1,,,\n");
    let (summary, _) = refuse(csv);
    assert_eq!(
        summary,
        "people.csv, row 1 (line 2): the column `name` holds bytes that are not UTF-8, which is not text."
    );
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let mut bench = Bench::new(vec![people()]);
    let error = bench
        .run(read("Person"), &[("source", text_item("none.csv"))])
        .unwrap_err();
    assert_eq!(input_error(error).0, "There is no file none.csv.");
    std::fs::create_dir(bench.path().join("folder.csv")).unwrap();
    let error = bench
        .run(read("Person"), &[("source", text_item("folder.csv"))])
        .unwrap_err();
    assert_eq!(input_error(error).0, "folder.csv is a folder.");
}

#[test]
fn json_lines_are_read_with_lists_and_records() {
    let mut bench = Bench::new(vec![schema(
        "Nested",
        vec![
            column("id", DataKind::Int),
            column("tags", DataKind::List(Box::new(DataType::plain(DataKind::String)))),
            column("note?", DataKind::String),
        ],
    )]);
    bench.file(
        "n.ndjson",
        "{\"id\": 1, \"tags\": [\"a\", \"b\"], \"more\": 1}\n\n{\"id\": 2, \"tags\": []}\n",
    );
    let outputs = bench
        .run(read("Nested"), &[("source", text_item("n.ndjson"))])
        .unwrap()
        .1;
    assert_eq!(rows(&outputs.join("output")), ["1|[a, b]|none", "2|[]|none"]);
    assert_eq!(
        *bench.log.lock().unwrap(),
        [
            "left out column `more` of n.ndjson: not in the schema `Nested`",
            "no line of n.ndjson has `note`"
        ]
    );
    bench.file("n.ndjson", "{\"id\": 1, \"tags\": []}\n{\"id\": 2, \"tags\": 7}\n");
    let error = bench
        .run(read("Nested"), &[("source", text_item("n.ndjson"))])
        .unwrap_err();
    assert_eq!(
        input_error(error).0,
        "n.ndjson, row 2: the column `tags` holds \"7\", which does not fit its type."
    );
    bench.file("n.csv", "id,tags,note\n1,a,\n");
    let error = bench
        .run(read("Nested"), &[("source", text_item("n.csv"))])
        .unwrap_err();
    assert_eq!(
        input_error(error).0,
        "The column `tags` is a list, map or record, which a CSV file cannot hold."
    );
}

#[test]
fn json_lines_that_do_not_fit_are_placed() {
    let line = r#"{"name":"Ann","age":34,"housing":"own","member":true}"#;
    assert_eq!(land_as("p.jsonl", line), ["Ann|34|none|own|true|none|none|none"]);
    for (broken, expected) in [
        (
            line.replace("34", "\"34\""),
            "the column `age` holds \"34\", which is not an int",
        ),
        (
            line.replace("34", "1.5"),
            "the column `age` holds \"1.5\", which is not an int",
        ),
        (
            line.replace("true", "1"),
            "the column `member` holds \"1\", which is not a bool",
        ),
        ("[1]".to_owned(), "the line is not a JSON object"),
        (
            "{\"name\": ".to_owned(),
            "the line is not JSON (EOF while parsing a value)",
        ),
    ] {
        let (summary, _) = refuse_as("p.jsonl", format!("{line}\n{broken}\n"));
        assert_eq!(summary, format!("p.jsonl, row 2 (line 2): {expected}."));
    }
    let (summary, help) = refuse_as("p.jsonl", line.replace("age", "agee"));
    assert_eq!(summary, "p.jsonl has no column `age`.");
    assert!(help.contains("`agee`"), "{help}");
}

#[test]
fn parquet_of_other_widths_is_converted_where_nothing_is_lost() {
    let mut bench = Bench::new(vec![schema(
        "Wide",
        vec![
            column("a", DataKind::Int),
            column("b", DataKind::Float),
            column("c", DataKind::String),
            column("d", DataKind::Datetime),
        ],
    )]);
    let write = |path: &camino::Utf8Path, columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let b: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 2.0]));
    let c: ArrayRef = Arc::new(LargeStringArray::from(vec!["x", "y"]));
    let d: ArrayRef =
        Arc::new(TimestampNanosecondArray::from(vec![1_000_000_000, 2_000]).with_timezone("Europe/Berlin"));
    let path = bench.path().join("w.parquet");
    write(
        &path,
        vec![("d", d.clone()), ("a", a.clone()), ("b", b.clone()), ("c", c.clone())],
    );
    let outputs = bench
        .run(read("Wide"), &[("source", text_item("w.parquet"))])
        .unwrap()
        .1;
    assert_eq!(
        rows(&outputs.join("output")),
        ["1|0.5|x|1970-01-01T00:00:01Z", "none|2.0|y|1970-01-01T00:00:00.000002Z"]
    );
    write(&path, vec![("d", d), ("a", b.clone()), ("b", b), ("c", c)]);
    let error = bench
        .run(read("Wide"), &[("source", text_item("w.parquet"))])
        .unwrap_err();
    let (summary, _) = input_error(error);
    assert!(
        summary.contains("The column `a` of") && summary.ends_with("holds Float32, but its schema says `int`."),
        "{summary}"
    );
}

#[test]
fn a_cancelled_run_stops() {
    let mut bench = Bench::new(vec![people()]);
    bench.file("people.csv", HEADER);
    bench.cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = bench
        .run(read("Person"), &[("source", text_item("people.csv"))])
        .unwrap_err();
    assert!(matches!(error, OperationError::Cancelled));
}

#[test]
fn a_full_disk_is_an_error_with_the_path() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let source = mlp_runtime::data::reading::Source {
        path: camino::Utf8Path::new("/dev/full"),
        name: "x",
        format: mlp_runtime::data::reading::Format::Csv,
        schema: &people(),
        cancelled: &std::sync::atomic::AtomicBool::new(false),
        log: &|_| {},
    };
    let bench = Bench::new(vec![]);
    let path = bench.file("people.csv", format!("{HEADER}Ann,34,0.5,own,true,,,\n"));
    let source = mlp_runtime::data::reading::Source { path: &path, ..source };
    let error = mlp_runtime::data::reading::land(&source, camino::Utf8Path::new("/dev/full")).unwrap_err();
    assert!(
        matches!(&error, OperationError::Io { action, .. } if action == "cannot write /dev/full"),
        "{error:?}"
    );
}
