//! The registry, and `register`, `champion` and `deploy` on top of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::result_large_err,
    reason = "a test may fail and touch files"
)]

mod lifecycle_support;

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use camino::Utf8PathBuf;
use lifecycle_support::{Bench, artifact, binary, condition, labels, metric, number, scores};
use mlp::plan::{BinaryOperator, Operation, Subject};
use mlp_runtime::operations::{Deployment, Item, Lineage, OperationError, follow_champion};
use mlp_runtime::registry::{Alias, Cause, NewVersion, Registry, RegistryError, Selector};

fn now() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn by_hand() -> Cause {
    Cause::by_hand(now(), "promoted by hand")
}

struct Shelf {
    _folder: tempfile::TempDir,
    root: Utf8PathBuf,
    registry: Registry,
}

fn shelf() -> Shelf {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    Shelf {
        registry: Registry::open(&root.join("registry")).unwrap(),
        root,
        _folder: folder,
    }
}

impl Shelf {
    fn register(&self, name: &str, content: &str) -> Result<(u64, bool), RegistryError> {
        let folder = self.root.join("models").join(content);
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("model.json"), content).unwrap();
        fs::write(folder.join("inner/weights"), [1, 2, 3]).unwrap();
        let lineage = Lineage {
            run: format!("run-{content}"),
            pipeline: "credit".to_owned(),
            ..Lineage::default()
        };
        let registered = self.registry.register(&NewVersion {
            name,
            model: "CreditModel",
            docs: None,
            folder: &folder,
            digest: content,
            lineage: &lineage,
            at: now(),
        })?;
        Ok((registered.version.version, registered.existing))
    }
}

#[test]
fn versions_count_up_and_the_newest_is_the_challenger() {
    let shelf = shelf();
    assert_eq!(shelf.register("credit", "a").unwrap(), (1, false));
    assert_eq!(shelf.register("credit", "b").unwrap(), (2, false));
    assert_eq!(shelf.register("other/name", "a").unwrap(), (1, false));
    let models = shelf.registry.list().unwrap();
    assert_eq!(
        models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(),
        ["credit", "other/name"]
    );
    assert_eq!(models[0].aliases, BTreeMap::from([(Alias::Challenger, 2)]));
    assert_eq!(models[0].versions[1].aliases, [Alias::Challenger]);
    assert_eq!(models[0].versions[0].run, "run-a");
    let details = shelf.registry.show("credit", "challenger".parse().unwrap()).unwrap();
    assert_eq!(details.record.version, 2);
    assert_eq!(fs::read_to_string(details.folder.join("model.json")).unwrap(), "b");
    assert!(details.card.starts_with("# credit version 2\n"), "{}", details.card);
    assert_eq!(details.moves.len(), 1);
}

#[test]
fn the_same_model_with_the_same_proof_is_the_same_version() {
    let shelf = shelf();
    assert_eq!(shelf.register("credit", "a").unwrap(), (1, false));
    assert_eq!(shelf.register("credit", "b").unwrap(), (2, false));
    assert_eq!(shelf.register("credit", "a").unwrap(), (1, true));
    assert_eq!(shelf.registry.aliases("credit").unwrap()[&Alias::Challenger], 1);
    let evidence = serde_json::json!({ "conditions": [{ "text": "auc >= 0.9" }] });
    shelf
        .registry
        .keep_evidence("a", mlp_runtime::registry::Stage::Gate, &evidence)
        .unwrap();
    assert_eq!(
        shelf.register("credit", "a").unwrap(),
        (3, false),
        "it was proven otherwise"
    );
}

#[test]
fn promotion_and_rollback_swap_champion_and_previous() {
    let shelf = shelf();
    for content in ["a", "b"] {
        shelf.register("credit", content).unwrap();
    }
    let registry = &shelf.registry;
    registry.promote("credit", 1, &by_hand()).unwrap().unwrap();
    registry.promote("credit", 2, &by_hand()).unwrap().unwrap();
    let both = BTreeMap::from([(Alias::Champion, 2), (Alias::Previous, 1)]);
    assert_eq!(registry.aliases("credit").unwrap(), both, "a champion is no challenger");
    assert_eq!(
        registry.promote("credit", 2, &by_hand()).unwrap(),
        None,
        "nothing moves"
    );
    let moved = registry
        .rollback("credit", &Cause::by_hand(now(), "rolled back"))
        .unwrap();
    assert_eq!(moved.changes[&Alias::Champion].from, Some(2));
    assert_eq!(
        registry.aliases("credit").unwrap(),
        BTreeMap::from([(Alias::Champion, 1), (Alias::Previous, 2)])
    );
    let reasons: Vec<_> = registry
        .moves("credit")
        .unwrap()
        .into_iter()
        .map(|each| each.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            "registered",
            "registered",
            "promoted by hand",
            "promoted by hand",
            "rolled back"
        ]
    );
}

#[test]
fn every_mistake_has_a_way_out() {
    let shelf = shelf();
    let registry = &shelf.registry;
    let none = registry.show("credit", Selector::Version(1)).unwrap_err();
    assert!(none.to_string().contains("nothing has been registered yet"), "{none}");
    shelf.register("credit", "a").unwrap();
    let unknown = registry.show("credti", Selector::Version(1)).unwrap_err();
    assert_eq!(unknown.to_string(), "the registry has no model `credti`; it has credit");
    let missing = registry.promote("credit", 7, &by_hand()).unwrap_err();
    assert!(
        missing.to_string().starts_with("model `credit` has no version 7;"),
        "{missing}"
    );
    let alias = registry.show("credit", Selector::Alias(Alias::Champion)).unwrap_err();
    assert!(
        alias.to_string().starts_with("model `credit` has no `champion`;"),
        "{alias}"
    );
    let rollback = registry.rollback("credit", &by_hand()).unwrap_err();
    assert!(rollback.to_string().contains("no previous champion"), "{rollback}");
    let selector = "latest".parse::<Selector>().unwrap_err();
    assert!(selector.to_string().contains("`latest` names no version"), "{selector}");
    assert_eq!("v12".parse::<Selector>().unwrap(), Selector::Version(12));
}

#[test]
fn many_runs_at_once_lose_no_version() {
    let shelf = shelf();
    let numbers: Vec<u64> = thread::scope(|scope| {
        let shelf = &shelf;
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                scope.spawn(move || {
                    (0..4)
                        .map(|i| shelf.register("credit", &format!("{worker}-{i}")).unwrap().0)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut sorted = numbers;
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=32).collect::<Vec<_>>());
    assert_eq!(shelf.registry.model("credit").unwrap().versions.len(), 32);
    assert_eq!(shelf.registry.moves("credit").unwrap().len(), 32);
}

#[test]
fn one_model_registered_by_many_at_once_is_one_version() {
    let shelf = shelf();
    shelf.register("credit", "a").unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(shelf.register("credit", "a").unwrap(), (1, true)));
        }
    });
}

#[test]
fn a_line_cut_short_by_a_crash_is_no_move() {
    let shelf = shelf();
    shelf.register("credit", "a").unwrap();
    let path = shelf.root.join("registry/credit/moves.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str(r#"{"at":"2026-"#);
    fs::write(&path, text).unwrap();
    assert_eq!(
        shelf.registry.aliases("credit").unwrap(),
        BTreeMap::from([(Alias::Challenger, 1)])
    );
    shelf.register("credit", "b").unwrap();
    assert_eq!(
        shelf.registry.moves("credit").unwrap().len(),
        2,
        "the rest of the line is gone"
    );
}

#[test]
fn damage_is_told() {
    let shelf = shelf();
    shelf.register("credit", "a").unwrap();
    let registry = &shelf.registry;
    let folder = registry.intact("credit", Selector::Version(1)).unwrap().1;
    fs::write(folder.join("inner/weights"), [9]).unwrap();
    let changed = registry.intact("credit", Selector::Version(1)).unwrap_err();
    assert!(
        changed
            .to_string()
            .contains("its files are not those registered as version 1 of `credit`"),
        "{changed}"
    );
    let RegistryError::Damaged { remedy, .. } = changed else {
        panic!("{changed:?}")
    };
    assert!(
        remedy.contains("promote another version: `mlp registry promote credit VERSION`"),
        "{remedy}"
    );
    fs::write(shelf.root.join("registry/credit/versions/1/version.json"), "{").unwrap();
    assert!(matches!(registry.list(), Err(RegistryError::Damaged { .. })));
    fs::write(shelf.root.join("registry/credit/moves.jsonl"), "nonsense\n").unwrap();
    assert!(matches!(registry.aliases("credit"), Err(RegistryError::Damaged { .. })));
}

#[test]
fn names_that_are_no_file_names_are_kept_apart() {
    let shelf = shelf();
    for name in ["../escape", ".hidden", "a b", "ä", "lock"] {
        shelf
            .register(name, "a")
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let names: Vec<_> = shelf
        .registry
        .list()
        .unwrap()
        .into_iter()
        .map(|model| model.name)
        .collect();
    assert_eq!(names, ["../escape", ".hidden", "a b", "lock", "ä"]);
    assert!(!shelf.root.join("escape").exists());
}

fn release(bench: &Bench, model: &Item, data: &Item, service: &str) -> Result<String, OperationError> {
    let registered = prove(bench, model, data)?;
    Ok(bench.deploy(&registered, service)?.0.summary)
}

/// Evaluates, gates, challenges and registers a model.
fn prove(bench: &Bench, model: &Item, data: &Item) -> Result<Item, OperationError> {
    let (_, metrics) = bench.evaluate(model, data)?;
    let auc = |subject| metric(subject, "auc", None);
    let conditions = vec![condition(
        "auc >= 0.6",
        binary(auc(Subject::Candidate), BinaryOperator::GreaterEqual, number(0.6)),
    )];
    bench.run(
        Operation::Gate { conditions },
        &[("model", model), ("metrics", &metrics)],
    )?;
    let (_, baseline) = bench.run(
        Operation::Prior {
            model: "Binary".to_owned(),
            label: "defaulted".to_owned(),
            positive: None,
        },
        &[("data", data)],
    )?;
    let baseline = Item::Artifact {
        path: baseline,
        digest: "prior".to_owned(),
    };
    let champion = Operation::Champion {
        model: "Binary".to_owned(),
    };
    let (told, path) = bench.run(champion, &[("fallback", &baseline)])?;
    let champion = Item::Artifact {
        path,
        digest: told.record["digest"].as_str().unwrap().to_owned(),
    };
    let better = binary(
        auc(Subject::Candidate),
        BinaryOperator::GreaterEqual,
        binary(auc(Subject::Champion), BinaryOperator::Subtract, number(0.05)),
    );
    let challenge = Operation::Challenge(mlp::plan::Challenge {
        model: "Binary".to_owned(),
        label: "defaulted".to_owned(),
        positive: None,
        protected: Vec::new(),
        conditions: vec![condition("candidate.auc >= champion.auc - 0.05", better)],
        confidence: 0.95,
    });
    bench.run(
        challenge,
        &[("candidate", model), ("champion", &champion), ("on", data)],
    )?;
    Ok(bench.register(model)?.1)
}

#[test]
fn a_second_release_meets_the_first_as_champion() {
    let mut bench = Bench::new();
    let labels = labels(300);
    let data = bench.data("test", &labels);
    let first = bench.scorer("first", &scores(&labels, 0.4, 1));
    let second = bench.scorer("second", &scores(&labels, 0.45, 2));
    let told = release(&bench, &first, &data, "CreditApi").unwrap();
    assert_eq!(told, "version 1 of `credit-risk` to CreditApi, now the champion");
    let again = release(&bench, &first, &data, "CreditApi").unwrap();
    assert_eq!(again, "version 1 of `credit-risk` to CreditApi, still the champion");
    let told = release(&bench, &second, &data, "CloudApi").unwrap();
    assert_eq!(
        told,
        "version 2 of `credit-risk` to CreditApi, now the champion; a local stand-in for `kserve`"
    );
    let registry = Registry::open(&bench.registry()).unwrap();
    assert_eq!(
        registry.aliases("credit-risk").unwrap(),
        BTreeMap::from([(Alias::Champion, 2), (Alias::Previous, 1)])
    );
    let card = registry.show("credit-risk", Selector::Version(2)).unwrap().card;
    for expected in [
        "Estimates the risk of default of a loan.",
        "| auc | 0.",
        "## Fairness",
        "| demographic_parity(sex) |",
        "auc >= 0.6",
        "candidate.auc >= champion.auc - 0.05",
        "digest-of-first",
        "Run | `run-1`",
    ] {
        assert!(card.contains(expected), "{expected} in\n{card}");
    }
    let record = fs::read_to_string(bench.root.join(".mlp/deployments/CreditApi.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["version"]["version"], 1);
}

#[test]
fn a_model_proven_against_a_former_champion_does_not_replace_the_present_one() {
    let mut bench = Bench::new();
    let labels = labels(300);
    let data = bench.data("test", &labels);
    let slow = bench.scorer("slow", &scores(&labels, 0.4, 1));
    let quick = bench.scorer("quick", &scores(&labels, 0.41, 2));
    // Both are proven against the baseline; the quick one is deployed first.
    let registered = prove(&bench, &slow, &data).unwrap();
    release(&bench, &quick, &data, "CreditApi").unwrap();
    let error = bench.deploy(&registered, "CreditApi").unwrap_err();
    assert!(matches!(error, OperationError::Refused { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "version 1 of `credit-risk` was not proven against the present champion, version 2"
    );
    let registry = Registry::open(&bench.registry()).unwrap();
    assert_eq!(registry.aliases("credit-risk").unwrap()[&Alias::Champion], 2);
    assert!(
        release(&bench, &slow, &data, "CreditApi").is_ok(),
        "once it has met the champion it may"
    );
}

#[test]
fn a_deployment_remembers_what_served_before() {
    let mut bench = Bench::new();
    let (first, second) = (bench.scorer("first", &[]), bench.scorer("second", &[]));
    for model in [&first, &second, &second] {
        let (_, registered) = bench.register(model).unwrap();
        bench.deploy(&registered, "CreditApi").unwrap();
    }
    let record = fs::read_to_string(bench.root.join(".mlp/deployments/CreditApi.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(
        (
            record["version"]["version"].as_u64(),
            record["previous"]["version"].as_u64()
        ),
        (Some(2), Some(1))
    );
}

#[test]
fn services_follow_a_champion_that_was_moved_by_hand() {
    let mut bench = Bench::new();
    for model in ["first", "second"] {
        let model = bench.scorer(model, &[]);
        let (_, registered) = bench.register(&model).unwrap();
        bench.deploy(&registered, "CreditApi").unwrap();
    }
    let registry = Registry::open(&bench.registry()).unwrap();
    let record = || -> Deployment {
        let text = fs::read(bench.root.join(".mlp/deployments/CreditApi.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    assert_eq!(record().version.version, 2);
    assert!(
        follow_champion(&registry, "credit-risk", now()).unwrap().is_empty(),
        "it serves it already"
    );
    registry.rollback("credit-risk", &by_hand()).unwrap();
    assert_eq!(follow_champion(&registry, "credit-risk", now()).unwrap(), ["CreditApi"]);
    let rolled_back = record();
    assert_eq!(rolled_back.version.version, 1);
    assert_eq!(rolled_back.previous.unwrap().version, 2);
    assert_eq!(rolled_back.run, "by hand");
    let details = registry.show("credit-risk", Selector::Alias(Alias::Champion)).unwrap();
    assert_eq!(rolled_back.version.digest, details.record.digest);
    assert_eq!(rolled_back.folder, details.folder);
    assert!(follow_champion(&registry, "unknown", now()).is_err());
}

#[test]
fn a_deployment_that_fails_moves_no_alias() {
    let mut bench = Bench::new();
    let first = bench.scorer("first", &[]);
    let (_, registered) = bench.register(&first).unwrap();
    bench.deploy(&registered, "CreditApi").unwrap();
    let second = bench.scorer("second", &[]);
    let (told, registered) = bench.register(&second).unwrap();
    assert_eq!(told.summary, "version 2 of `credit-risk`");
    // The rollout's record cannot be written where a folder stands.
    let path = bench.root.join(".mlp/deployments/CloudApi.json");
    fs::create_dir_all(&path).unwrap();
    let error = bench.deploy(&registered, "CloudApi").unwrap_err();
    assert!(matches!(error, OperationError::Io { .. }), "{error:?}");
    let registry = Registry::open(&bench.registry()).unwrap();
    assert_eq!(
        registry.aliases("credit-risk").unwrap(),
        BTreeMap::from([(Alias::Champion, 1), (Alias::Challenger, 2)])
    );
    // A model whose files were changed in the registry does not ship.
    let (_, folder) = registry.intact("credit-risk", Selector::Version(2)).unwrap();
    fs::write(folder.join("model.json"), "tampered").unwrap();
    let error = bench.deploy(&registered, "CreditApi").unwrap_err();
    assert!(
        error.to_string().contains("its files are not those registered"),
        "{error}"
    );
    // Nor does a reference into a registry that was replaced.
    fs::remove_dir_all(bench.registry()).unwrap();
    bench.register(&first).unwrap();
    let error = bench.deploy(&registered, "CreditApi").unwrap_err();
    assert!(error.to_string().contains("has no version 2"), "{error}");
    let forged = bench.root.join("forged.json");
    fs::write(
        &forged,
        r#"{"registry":"local","name":"credit-risk","version":1,"digest":"other"}"#,
    )
    .unwrap();
    let error = bench.deploy(&artifact(forged), "CreditApi").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is another model than the one that was registered"),
        "{error}"
    );
}

#[test]
fn registering_again_says_so() {
    let mut bench = Bench::new();
    let model = bench.scorer("first", &[]);
    let (_, first) = bench.register(&model).unwrap();
    let (told, second) = bench.register(&model).unwrap();
    assert_eq!(
        told.summary,
        "version 1 of `credit-risk`, which was there already with the same proof"
    );
    assert_eq!(told.record["existing"], true);
    let text = |item: &Item| match item {
        Item::Artifact { path, .. } => fs::read_to_string(path).unwrap(),
        Item::Value(_) | Item::List(_) => panic!(),
    };
    assert_eq!(text(&first), text(&second));
    let reference: serde_json::Value = serde_json::from_str(&text(&first)).unwrap();
    assert_eq!(
        reference,
        serde_json::json!({
            "registry": "local", "name": "credit-risk", "version": 1, "digest": "digest-of-first"
        })
    );
}
