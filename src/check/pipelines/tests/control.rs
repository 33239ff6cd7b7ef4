//! Loops, branches, `finally`, called pipelines and generic steps.

use super::{PROGRAM, changed, database, item, problems};
use crate::check::pipelines::{Elaborated, elaborate};
use crate::plan::{Node, NodeKind, Operand, PortType, Reference};
use crate::types::Value;

use std::sync::Arc;

/// The whole program with statements before its last line, without problems, elaborated.
fn with(statements: &str) -> Arc<Elaborated> {
    let program = changed("  deploy(", &format!("{statements}\n  deploy("));
    assert_eq!(problems(&program), "");
    let database = database(&program);
    elaborate(&database, &item(&database, "pipeline credit"))
}

/// The one problem of the whole program with statements before its last line.
fn wrong(statements: &str) -> String {
    let text = problems(&changed("  deploy(", &format!("{statements}\n  deploy(")));
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().split_once(": ").unwrap().1.to_owned()
}

fn node<'e>(elaborated: &'e Elaborated, id: &str) -> &'e Node {
    elaborated.graph.nodes.iter().find(|node| node.id == id).unwrap()
}

#[test]
fn a_loop_gathers_what_is_used_outside() {
    let elaborated = with(
        "  for size in [10, 20] max 2 {\n    let forest = train(parts.train, trees: size)\n    \
         let own = evaluate(forest, parts.test)\n    let _ = gate(forest, own) { auc >= 0.5 }\n  }\n  \
         for one in forest {\n    let _ = evaluate(one, parts.test)\n  }",
    );
    let outer = node(&elaborated, "for_size");
    let NodeKind::Loop(repeat) = &outer.kind else {
        panic!("{outer:?}")
    };
    assert_eq!(
        repeat.items,
        Operand::Value(Value::List(vec![Value::Int(10), Value::Int(20)]))
    );
    assert_eq!(repeat.max, Some(2));
    assert_eq!(outer.outputs.len(), 1, "only `forest` is read outside");
    assert!(matches!(&outer.outputs[0].ty, PortType::List(of) if matches!(**of, PortType::Model { .. })));
    let NodeKind::Loop(second) = &node(&elaborated, "for_one").kind else {
        panic!()
    };
    let gathered = Reference::Output {
        node: "for_size".to_owned(),
        port: "forest".to_owned(),
    };
    assert_eq!(second.items, Operand::Reference(gathered));
}

#[test]
fn what_a_loop_has_trained_is_still_known_outside() {
    assert_eq!(
        wrong(
            "  for size in 1..=2 {\n    let forest = train(parts.train, trees: size + 10)\n  }\n  \
             for one in forest {\n    let _ = evaluate(one, parts.train)\n  }"
        ),
        "error[E0701]: `one` is evaluated on `parts.train`, the very rows that it was trained on."
    );
}

#[test]
fn an_if_gives_a_value_of_both_arms() {
    let elaborated = with(
        "  let chosen = if min_auc > 0.8 { train(parts.train, trees: 500) } else { fit }\n  \
         let _ = evaluate(chosen, parts.test)",
    );
    let chosen = node(&elaborated, "chosen");
    let NodeKind::Branch(branch) = &chosen.kind else {
        panic!("{chosen:?}")
    };
    assert_eq!(branch.then.nodes[0].id, "chosen.train");
    assert_eq!(branch.values.len(), 1);
    assert!(matches!(chosen.outputs[0].ty, PortType::Model { .. }));
}

#[test]
fn a_model_of_either_arm_has_seen_the_rows_of_both() {
    assert_eq!(
        wrong(
            "  let chosen = if min_auc > 0.8 { train(parts.test) } else { fit }\n  \
             let _ = evaluate(chosen, parts.test)"
        ),
        "error[E0701]: `chosen` is evaluated on `parts.test`, the very rows that it was trained on."
    );
}

#[test]
fn finally_knows_the_outcome() {
    let elaborated = with("  finally {\n    if outcome == failed {\n      notify(\"{source} has failed\")\n    }\n  }");
    let NodeKind::Finally(graph) = &node(&elaborated, "finally").kind else {
        panic!()
    };
    assert_eq!(graph.nodes[0].id, "if");
}

#[test]
fn control_edges_are_kept() {
    let elaborated = with("  notify(\"done\") after fit, gated");
    assert_eq!(node(&elaborated, "notify").after, ["fit", "gated"]);
}

#[test]
fn run_time_values_in_conditions_are_inputs_of_the_node() {
    let database = database(PROGRAM);
    let elaborated = elaborate(&database, &item(&database, "pipeline credit"));
    let gated = node(&elaborated, "gated");
    let names: Vec<&str> = gated.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["model", "metrics", "min_auc"]);
}

#[test]
fn a_generic_step_is_one_step_for_each_binding() {
    let generic = "step same<S: schema>(data: Dataset<S>) -> Dataset<S> {\n  run: python \"credit.py:tidy\"\n}\n\npipeline credit(";
    let program = changed("pipeline credit(", generic);
    let program = program.replacen("  deploy(", "  let _ = same(raw)\n  let _ = same(rows)\n  deploy(", 1);
    assert_eq!(problems(&program), "");
    let database = database(&program);
    let elaborated = elaborate(&database, &item(&database, "pipeline credit"));
    let names: Vec<&String> = elaborated
        .steps
        .keys()
        .filter(|name| name.starts_with("same"))
        .collect();
    assert_eq!(names, ["same<Applicant>", "same<CreditFeatures>"]);
}

#[test]
fn pipelines_that_call_each_other_end() {
    let others = "pipeline one() {\n  two()\n}\n\npipeline two() {\n  one()\n}\n\npipeline credit(";
    let text = problems(&changed("pipeline credit(", others));
    let problem = "error[E0520]: The pipeline `one` calls itself through `two`, so it would never end.";
    assert!(text.contains(problem), "{text}");
    assert_eq!(text.lines().count(), 1, "a circle is one mistake: {text}");
}

#[test]
fn operators_take_values_of_one_type() {
    assert_eq!(
        wrong("  if min_auc == source { notify(\"odd\") }"),
        "error[E0211]: `==` does not work on `float` and `string`."
    );
    assert_eq!(
        wrong("  if scores { notify(\"odd\") }"),
        "error[E0514]: A condition must be a `bool` value, and `scores` is `Metrics<CreditModel>`."
    );
    assert_eq!(
        wrong("  notify(\"{rows}\")"),
        "error[E0211]: `rows` is `validated Dataset<CreditFeatures>`, which has no text."
    );
}

#[test]
fn what_is_not_built_yet_says_so() {
    assert_eq!(
        wrong("  shadow(fit)"),
        "error[E0901]: `shadow` is part of the language, but this version of mlp does not have it yet."
    );
}
