//! From a pipeline's statements to its graph.

use super::{PROGRAM, changed, database, item, problems};
use crate::check::pipelines::{elaborate, test_cases};

/// The ids of the graph's nodes with what each calls, in order.
fn nodes(program: &str) -> Vec<String> {
    let database = database(program);
    let elaborated = elaborate(&database, &item(&database, "pipeline credit"));
    elaborated
        .graph
        .nodes
        .iter()
        .map(|node| format!("{} = {}", node.id, node.callee))
        .collect()
}

#[test]
fn the_whole_program_has_no_problem() {
    assert_eq!(problems(PROGRAM), "");
}

#[test]
fn the_whole_program_becomes_a_graph() {
    let database = database(PROGRAM);
    let elaborated = elaborate(&database, &item(&database, "pipeline credit"));
    insta::assert_json_snapshot!(elaborated.graph);
}

#[test]
fn tests_become_cases() {
    let database = database(PROGRAM);
    let cases = test_cases(&database, &item(&database, "test"));
    insta::assert_debug_snapshot!(cases);
}

#[test]
fn an_unrelated_step_renames_no_node() {
    let before = nodes(PROGRAM);
    let lines: Vec<&str> = PROGRAM.lines().collect();
    let begin = lines
        .iter()
        .position(|line| line.starts_with("pipeline credit"))
        .unwrap();
    let end = begin + lines.iter().skip(begin).position(|line| *line == "}").unwrap();
    let statements =
        (begin + 1..=end).filter(|at| lines[*at].starts_with("  let") || lines[*at].starts_with("  deploy"));
    for at in statements {
        let mut program = lines.clone();
        program.insert(at, "  notify(\"hello\")");
        let mut after = nodes(&program.join("\n"));
        after.retain(|node| node != "notify = notify");
        assert_eq!(after, before, "inserted before line {at}");
    }
}

#[test]
fn a_second_call_takes_a_number() {
    let program = changed("  let fit = ", "  notify(\"a\")\n  notify(\"b\")\n  let fit = ");
    let all = nodes(&program);
    assert!(all.contains(&"notify = notify".to_owned()) && all.contains(&"notify_2 = notify".to_owned()));
}
