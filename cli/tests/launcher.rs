//! `mlp launch --placed` with a root in a folder: every kind of node, what passes between tasks, reuse, and how it ends.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start the binary and look at the disk"
)]

mod launcher_support;

use std::fs;

use launcher_support::Project;
use mlp::plan::{Input, Node, Operand, Port, Reference};
use serde_json::json;

const STEPS: &str = r#"
/// Writes a file, a folder and values.
step make(words: list<string>, count: int) -> (out: File, tree: Directory, big: int, wait: duration, kept: string?) {
  run: command ["sh", "./make.sh", "{out}", "{tree}", "{big}", "{wait}", "{kept}", "{count}", "{words}"]
}

step show(out: File, tree: Directory, big: int, wait: duration, kept: string?) -> (text: string, half: int in 0..=50) {
  run: command ["sh", "./show.sh", "{text}", "{half}", "{out}", "{tree}", "{big}", "{wait}", "{kept}"]
}

step double(big: int, words: list<string>) -> (twice: int, all: string, note: File) {
  run: python "steps.py:double"
}

pipeline main(words: list<string> = ["a b", "c"], count: int = 9007199254740993) {
  let made = make(words, count)
  let _ = show(out: made.out, tree: made.tree, big: made.big, wait: made.wait, kept: made.kept)
  let _ = double(big: made.big, words)
}
"#;

const MAKE: &str = r#"out=$1; tree=$2; big=$3; wait=$4; kept=$5; count=$6
shift 6
printf '%s\n' "$@" > "$out"
mkdir -p "$tree/bin" && printf '#!/bin/sh\necho ran\n' > "$tree/bin/tool" && chmod +x "$tree/bin/tool"
printf '%s' "$count" > "$big"
printf '90min' > "$wait"
printf 'none' > "$kept"
echo "printed by make"
"#;

const SHOW: &str = r#"text=$1; half=$2
printf '%s|%s|%s|%s|%s' "$(cat "$3" | tr '\n' ,)" "$("$4/bin/tool")" "$5" "$6" "$7" > "$text"
printf '%s' "${HALF:-7}" > "$half"
"#;

const DOUBLE: &str = "\
def double(big: int, words: list[str], note):
    with open(note, 'w') as file:
        file.write('noted')
    return {'twice': big * 2, 'all': '+'.join(words)}
";

fn steps() -> Project {
    let files = [("make.sh", MAKE), ("show.sh", SHOW), ("steps.py", DOUBLE)];
    Project::new(STEPS, &files)
}

#[test]
fn commands_and_functions_pass_files_folders_and_values_on() {
    let project = steps();
    let ended = project.run_all();
    let big = 9_007_199_254_740_993_i64;
    let returned = |node: &str| ended[node].returned.clone().unwrap();
    assert_eq!(
        returned("made")["big"],
        json!(big),
        "an integer beyond 2^53 stays what it is"
    );
    assert_eq!(returned("made")["wait"], json!("1h30min"));
    assert_eq!(returned("made")["kept"], json!(null));
    let out = project.outputs("made").join("out");
    assert_eq!(returned("made")["out"], json!(out));
    assert!(ended["made"].stdout.contains("printed by make"));
    let told = format!("a b,c,|ran|{big}|1h30min|none");
    assert_eq!(returned("show")["text"], json!(told));
    assert_eq!(returned("double")["twice"], json!(big * 2));
    assert_eq!(returned("double")["all"], json!("a b+c"));
    let manifest = project.manifest("made").unwrap();
    assert_eq!(manifest["version"], json!(1));
    assert_eq!(manifest["node"], json!("made"));
    assert_eq!(manifest["ports"]["out"]["artifact"]["size"], json!(6));
    assert_eq!(manifest["ports"]["tree"]["artifact"]["folder"], json!(true));
    assert_eq!(
        fs::read_to_string(project.outputs("double").join("note")).unwrap(),
        "noted"
    );
}

#[test]
fn values_are_computed_and_artifacts_given_on_by_address() {
    let project = steps();
    assert_eq!(project.run("made").code, Some(0));
    let made = project.node("made");
    let port = |name: &str| made.outputs.iter().find(|port| port.name == name).unwrap().ty.clone();
    let input = |name: &str| Input {
        name: name.to_owned(),
        ty: port(name),
        value: Operand::Reference(Reference::Output {
            node: "made".to_owned(),
            port: name.to_owned(),
        }),
    };
    let output = |name: &str| Port {
        name: name.to_owned(),
        ty: port(name),
    };
    let names = ["out", "tree", "big", "wait"];
    let node = Node::computing(
        "outputs".to_owned(),
        names.iter().map(|name| input(name)).collect(),
        names.iter().map(|name| output(name)).collect(),
    );
    let ended = project.run_placed(&project.placed_node(node), |_| {});
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let out = project.outputs("made").join("out");
    let tree = project.outputs("made").join("tree");
    let expected = json!({"out": out, "tree": tree, "big": 9_007_199_254_740_993_i64, "wait": "1h30min"});
    assert_eq!(ended.returned, Some(expected));
}
