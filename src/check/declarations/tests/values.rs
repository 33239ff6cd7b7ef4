//! Type expressions, refinements, constants, schemas and their algebra.

use super::{check, key, project, refuses};
use crate::check::declarations;

#[test]
fn a_whole_schema_is_read() {
    let text = r#"
/// One loan application.
schema Applicant {
  id:         string                     @key
  email:      string?                    @pii(email)
  age:        int in 18..=100            @protected
  housing:    enum { own, rent, for_free = "for free" }
  amount:     float > 0                  @unit("EUR")
  `months left`: int in 1..=120
  applied_at: datetime                   @event_time
  paid:       bool                       @after(label)
  defaulted:  bool                       @label
}
schema Slim = Applicant without { email, @pii, @key } rename { age: years } with { score: float? }
schema Picked = Applicant pick { @label, id }
"#;
    assert_eq!(check(text), Vec::<String>::new());
    let db = project(&[("main.mlp", text)]);
    let columns = |name: &str| {
        let schema = declarations::schema(&db, &key("main.mlp", name)).expect("the schema is known");
        let columns = schema
            .columns
            .iter()
            .map(|column| format!("{}: {}", column.name, column.ty));
        (schema.name.clone(), columns.collect::<Vec<_>>())
    };
    assert_eq!(
        columns("schema Slim"),
        (
            "Slim".to_owned(),
            vec![
                "years: int in 18..=100".to_owned(),
                "housing: enum { own, rent, for_free = \"for free\" }".to_owned(),
                "amount: float > 0.0".to_owned(),
                "months left: int in 1..=120".to_owned(),
                "applied_at: datetime".to_owned(),
                "paid: bool".to_owned(),
                "defaulted: bool".to_owned(),
                "score: float?".to_owned(),
            ]
        )
    );
    assert_eq!(columns("schema Picked").1, ["id: string", "defaulted: bool"]);
}

#[test]
fn names_of_types() {
    refuses("schema A { x: flaot }", &["E0101 There is no type called `flaot`."]);
    refuses(
        "schema A { x: int }\nschema B { y: A }",
        &["E0201 `A` is a schema, but a type of values, such as `int` or `string` is needed here."],
    );
    refuses(
        "schema A { x: list<int, int> }",
        &["E0202 `list` takes one type between angle brackets, but 2 are given."],
    );
    refuses(
        "schema A { x: int<int> }",
        &["E0202 `int` takes nothing between angle brackets."],
    );
    refuses(
        "record R { x: int? }\nschema A { y: list<int>? }\nenum E { a, b }\nschema B { e: E?, r: R }",
        &[],
    );
}

#[test]
fn cycles_are_reported_once() {
    refuses(
        "schema A = B\nschema B = A without { x }\nschema C = A with { y: int }",
        &["E0213 `A` is made of itself: A → B → A."],
    );
    refuses("record A { a: list<A> }", &["E0213 `A` is made of itself: A → A."]);
    refuses(
        "features F from G { x = 1 }\nfeatures G from F { y = 2 }",
        &["E0213 `F` is made of itself: F → G → F."],
    );
}

#[test]
fn refinements() {
    let refuse = |ty: &str, expected: &str| refuses(&format!("schema A {{ x: {ty} }}"), &[expected]);
    refuse("int in 10..=1", "E0205 No value is left in `int in 10..=1`.");
    refuse("int in 1..1", "E0205 No value is left in `int in 1..1`.");
    refuse(
        "string > 3",
        "E0204 A range narrows numbers, dates, durations, sizes and money, but this type is `string`.",
    );
    refuse(
        "int matches \"a\"",
        "E0204 `matches` narrows `string`, but this type is `int`.",
    );
    refuse(
        "int length 1..",
        "E0204 `length` narrows `string`, `list` and `map`, but this type is `int`.",
    );
    refuse("string length 5..=2", "E0205 No length lies in this range.");
    refuse("string length -1..=2", "E0205 A length cannot be negative.");
    refuse("int in 5", "E0204 A range is needed behind `in`.");
    refuse(
        "int in x..=5",
        "E0207 This is not a constant: only literals and arithmetic on them can stand here.",
    );
    refuse("int in 0.5..=5", "E0208 `0.5` is a `float`, but `int` is needed.");
    refuse(
        "string matches \"[a\"",
        "E0206 `[a` is not a regular expression: unclosed character class.",
    );
    refuse("enum { a, a }", "E0209 The value `a` is declared twice.");
    refuse(
        "enum { a, b = \"a\" }",
        "E0209 `a` and `b` have the same text in the data: \"a\".",
    );
    refuse("{ a: int, a: int }", "E0209 The field `a` is declared twice.");
    refuse(
        "{ a: int @key }",
        "E0304 `@key` says something about a column, but `a` is a field of a record.",
    );
    refuses(
        "schema A { a: int in 2 * 3..=-(-10), b: date >= \"2020-01-01\", c: duration < 2h, d: size <= 2GiB, e: float in 0..=50%,
  f: string matches \"^[A-Z]{2}$\" length 2..=2, g: list<int> length 1.. }",
        &[],
    );
}

#[test]
fn tags() {
    let refuse = |column: &str, expected: &str| refuses(&format!("schema A {{ {column} }}"), &[expected]);
    refuse("x: int @labl", "E0303 There is no tag `@labl`.");
    refuse("x: int @key @key", "E0304 `x` carries `@key` twice.");
    refuse("x: int @key(1)", "E0304 `@key` does not take anything in parentheses.");
    refuse(
        "x: int @event_time",
        "E0304 `x` is tagged `@event_time`, but it is no date or datetime.",
    );
    refuse(
        "x: string @unit(\"EUR\")",
        "E0304 `x` is tagged `@unit`, but it is no number.",
    );
    refuse("x: int @after(y)", "E0301 There is no column `y`.");
    refuse(
        "x: enum { a, b } @label(c)",
        "E0208 `c` is no value of `enum { a, b }`.",
    );
    refuse(
        "x: bool @label\n y: bool @label",
        "E0304 `x` and `y` both carry `@label`, but a schema has only one.",
    );
    refuses(
        "schema A { x: enum { a, b } @label(b)\n y: int @after(x) @unit(\"s\")\n z: int @pii }",
        &[],
    );
}

#[test]
fn algebra() {
    let base = "schema A { id: string @key\n x: int\n y: int? }\nschema B { id: string\n x: int\n z: bool }\n";
    let refuse = |schema: &str, expected: &[&str]| refuses(&format!("{base}schema C = {schema}"), expected);
    refuse("A without { idd }", &["E0301 `A` has no column `idd`."]);
    refuse("A without { @kye }", &["E0303 There is no tag `@kye`."]);
    refuse("A with { x: int }", &["E0302 There is already a column `x`."]);
    refuse("A rename { x: y }", &["E0302 There is already a column `y`."]);
    refuse("A rename { w: q }", &["E0301 `A` has no column `w`."]);
    refuse("A rename { x: y, y: x }", &[]);
    refuse(
        "A join B on id",
        &["E0305 `A` and `B` both have `x`, which they are not joined on."],
    );
    refuse("A join B on idd", &["E0301 `A` has no column `idd`."]);
    refuse("A join B on id, x", &[]);
    refuse(
        "int without { x }",
        &["E0201 This is a value of the type `int`, but a schema is needed here."],
    );
    let renamed = format!("{base}schema D {{ id: int\n w: int }}\nschema C = A join D on id");
    refuses(
        &renamed,
        &["E0305 `id` is `string` in `A` and `int` in `D`, so rows cannot be joined on it."],
    );
}
