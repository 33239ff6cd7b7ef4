//! Contexts of a small plan: what they hold, that equal requests give equal bytes, and every refusal.

use std::collections::BTreeMap;

use super::{ImagesError, images};
use crate::plan::{DeclaredTarget, Plan, Platform, from_json};
use crate::project::{Lock, LockedPackage};
use crate::targets::pins::Pins;
use crate::targets::{OutputFile, Request};

const BASE: &str = "registry.example.com/mlp:1";

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

fn python_step(name: &str, packages: &[&str], image: Option<&str>) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "inputs": [],
        "outputs": [{ "name": "out", "ty": "file" }],
        "run": { "python": { "file": "credit.py", "function": "train" } },
        "image": image,
        "packages": packages,
    })
}

fn plan(steps: &[serde_json::Value]) -> Plan {
    let steps: BTreeMap<&str, &serde_json::Value> = steps
        .iter()
        .map(|step| (step["name"].as_str().unwrap(), step))
        .collect();
    let plan = serde_json::json!({
        "version": 1, "project": { "name": "credit", "version": "1.2.0" },
        "pipelines": {}, "steps": steps, "models": {}, "services": {}, "schemas": {},
    });
    from_json(&plan.to_string()).unwrap()
}

fn lock() -> Lock {
    let package = |name: &str| LockedPackage {
        name: name.to_owned(),
        version: "1.0".to_owned(),
        hashes: vec![digest('a'), digest('b')],
    };
    Lock {
        images: BTreeMap::from([(BASE.to_owned(), digest('1'))]),
        packages: BTreeMap::from([("pandas==1.0".to_owned(), vec![package("pandas"), package("numpy")])]),
        ..Lock::default()
    }
}

fn build(plan: &Plan, lock: &Lock, sources: &[&str]) -> Result<Vec<OutputFile>, ImagesError> {
    let target = DeclaredTarget {
        runtime_image: Some(BASE.to_owned()),
        ..DeclaredTarget::undeclared("prod", Platform::Local)
    };
    let text = |path: &str| {
        if path == "credit.py" {
            "from lib import helper\n"
        } else {
            "x = 1\n"
        }
    };
    let brought: BTreeMap<String, String> = sources
        .iter()
        .map(|path| ((*path).to_owned(), text(path).to_owned()))
        .collect();
    let mut sources = BTreeMap::from([("credit.py".to_owned(), brought)]);
    sources.retain(|path, texts| texts.contains_key(path));
    images(&Request {
        plan,
        target: &target,
        sources: &sources,
        lock,
    })
}

#[test]
fn a_context_holds_all_that_its_image_is_made_of() {
    let plan = plan(&[python_step("train", &["pandas==1.0"], None)]);
    let files = build(&plan, &lock(), &["credit.py", "lib/helper.py"]).unwrap();
    let text: String = files
        .iter()
        .map(|file| format!("--- {}\n{}", file.path, file.text))
        .collect();
    insta::assert_snapshot!(text);
    assert_eq!(build(&plan, &lock(), &["credit.py", "lib/helper.py"]).unwrap(), files);
}

#[test]
fn an_image_of_its_own_is_built_from_here_only_with_packages() {
    let own = Some("registry.example.com/train:1");
    let steps = [
        python_step("plain", &[], None),
        python_step("own", &[], own),
        python_step("own_with_packages", &["pandas==1.0"], own),
    ];
    let files = build(&plan(&steps), &lock(), &["credit.py"]).unwrap();
    let folders: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.as_str().strip_suffix("/Dockerfile"))
        .collect();
    assert_eq!(folders, ["own_with_packages", "plain"]);
    let plain = files.iter().find(|file| file.path == "plain/Dockerfile").unwrap();
    assert!(!plain.text.contains("RUN"), "{}", plain.text);
}

#[test]
fn hostile_names_stay_names() {
    let mut hostile = plan(&[python_step("../a\"\nRUN evil $(x)", &[], None)]);
    hostile.project.version = "1\nFROM scratch".to_owned();
    let files = build(&hostile, &lock(), &["credit.py"]).unwrap();
    assert!(
        files.iter().all(|file| file.path.starts_with("---a--RUN-evil---x-/")),
        "{files:?}"
    );
    let lines: Vec<&str> = files[0].text.lines().collect();
    assert!(lines.iter().all(|line| !line.starts_with("RUN evil")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("FROM")).count(), 1);
}

#[test]
fn what_is_not_pinned_is_refused() {
    let train = plan(&[python_step("train", &["pandas==1.0"], None)]);
    let without = |change: fn(&mut Lock)| {
        let mut lock = lock();
        change(&mut lock);
        build(&train, &lock, &["credit.py"]).unwrap_err()
    };
    assert_eq!(
        without(|lock| lock.images.clear()),
        ImagesError::UnpinnedBase(BASE.to_owned())
    );
    assert_eq!(
        without(|lock| lock.packages.clear()),
        ImagesError::UnpinnedPackages {
            owner: "the step `train`".to_owned(),
            packages: "pandas==1.0".to_owned()
        }
    );
    assert_eq!(
        build(&train, &lock(), &[]).unwrap_err(),
        ImagesError::Source("credit.py".to_owned())
    );
    assert_eq!(
        build(&train, &lock(), &["../b.py", "credit.py"]).unwrap_err(),
        ImagesError::Source("../b.py".to_owned())
    );
    assert_eq!(build(&plan(&[]), &lock(), &[]).unwrap_err(), ImagesError::Nothing);
    let two = plan(&[python_step("train", &[], None), python_step("Train", &[], None)]);
    assert!(matches!(
        build(&two, &lock(), &["credit.py"]),
        Err(ImagesError::SameFolder(..))
    ));
}

#[test]
fn a_base_that_is_no_image_is_refused() {
    let train = plan(&[python_step("train", &[], None)]);
    let target = DeclaredTarget {
        runtime_image: Some("a\nRUN evil".to_owned()),
        ..DeclaredTarget::undeclared("prod", Platform::Local)
    };
    let request = Request {
        plan: &train,
        target: &target,
        sources: &BTreeMap::new(),
        lock: &lock(),
    };
    assert_eq!(images(&request), Err(ImagesError::Base("a\nRUN evil".to_owned())));
}

#[test]
fn a_lock_that_fits_differs_in_nothing() {
    let mut train = plan(&[python_step("train", &["pandas==1.0"], Some("python:3.12"))]);
    let pins = Pins::of(&train);
    let mut lock = lock();
    assert_eq!(
        pins.differences(&lock),
        [
            "The image `python:3.12` has no digest.".to_owned(),
            format!("The image `{BASE}` is used no more."),
        ]
    );
    lock.images = BTreeMap::from([
        ("python:3.12".to_owned(), digest('1')),
        (crate::plan::RUNTIME_IMAGE.to_owned(), digest('2')),
    ]);
    assert_eq!(pins.differences(&lock), Vec::<String>::new());
    lock.packages = BTreeMap::from([("polars".to_owned(), Vec::new())]);
    assert_eq!(
        pins.differences(&lock),
        [
            "The packages `pandas==1.0` have no hashes.".to_owned(),
            "The packages `polars` are used no more.".to_owned(),
        ]
    );
    train
        .steps
        .values_mut()
        .for_each(|step| step.image = Some(format!("python:3.12@{}", digest('3'))));
    assert!(Pins::of(&train).images.is_empty());
}
