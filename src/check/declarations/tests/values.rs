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
