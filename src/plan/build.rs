//! From checked declarations and elaborated pipelines to the plan of a whole project.
//!
//! It decides nothing about the program: it refuses one that has errors, and puts together what the checks have found.

use std::collections::BTreeMap;

use super::{DeclaredTarget, Origin, PLAN_VERSION, Parameter, Pipeline, Plan, Project, Step, Trigger};
use crate::check::declarations;
use crate::check::pipelines::{Elaborated, elaborate};
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Place, ResolvedDiagnostic, Severity, line_index, locate};
use crate::names;
use crate::project::manifest_file;
use crate::syntax::ast::{Item, ItemKind, NodeId, PipelineItem};
use crate::types::{ParameterKind, Schema, Type};
use crate::workspace;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// The program has errors; warnings are left out.
    #[error("the program has {} error{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Program(Vec<ResolvedDiagnostic>),
    /// Two different definitions would get one name in the plan.
    #[error(
        "the plan needs one name for each {what}, but `{name}` means two different things in {first} and {second}. \
         Rename one of them"
    )]
    Ambiguous {
        /// `pipeline`, `step`, `model`, `service`, `schema`, `target`, `trigger`
        what: &'static str,
        /// The name.
        name: String,
        /// Where it was found first.
        first: String,
        /// Where it was found again.
        second: String,
    },
}

/// The plan of the project, built only when the program has no errors. Equal programs give equal plans.
///
/// # Errors
/// When the program has errors, or two different definitions in different files share a name.
pub fn build(db: &dyn Db) -> Result<Plan, BuildError> {
    let mut errors = workspace::check(db);
    errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(BuildError::Program(errors));
    }
    assemble(db)
}

/// The plan of a program that was found to have no errors.
pub(crate) fn assemble(db: &dyn Db) -> Result<Plan, BuildError> {
    let mut assembly = Assembly::default();
    for file in workspace::files(db) {
        for (key, _) in &names::file_items(db, file).items {
            if let Some(item) = names::item(db, key) {
                assembly.item(db, key, &item)?;
            }
        }
    }
    Ok(assembly.finish(project(db)))
}

/// Definitions by name, each with the file that brought it in.
type Named<T> = BTreeMap<String, (T, String)>;

#[derive(Default)]
struct Assembly {
    pipelines: Named<Pipeline>,
    steps: Named<Step>,
    models: Named<super::Model>,
    services: Named<super::Service>,
    schemas: Named<Schema>,
    targets: Named<DeclaredTarget>,
    triggers: Named<Trigger>,
}

impl Assembly {
    /// Takes in what begins in an item; everything else comes with the pipelines that use it.
    fn item(&mut self, db: &dyn Db, key: &ItemKey, item: &Item) -> Result<(), BuildError> {
        match &item.kind {
            ItemKind::Pipeline(pipeline) => self.pipeline(db, key, item.docs.as_deref(), pipeline),
            ItemKind::Target(_) => match declarations::target(db, key) {
                Some(target) => insert(
                    &mut self.targets,
                    "target",
                    target.name.clone(),
                    (*target).clone(),
                    &key.file,
                ),
                None => Ok(()),
            },
            ItemKind::Trigger(_) => match declarations::trigger(db, key) {
                Some(trigger) => insert(
                    &mut self.triggers,
                    "trigger",
                    trigger.name.clone(),
                    (*trigger).clone(),
                    &key.file,
                ),
                None => Ok(()),
            },
            ItemKind::Use(_)
            | ItemKind::Schema(_)
            | ItemKind::Record(_)
            | ItemKind::Enum(_)
            | ItemKind::Checks(_)
            | ItemKind::Features(_)
            | ItemKind::Model(_)
            | ItemKind::Artifact(_)
            | ItemKind::Step(_)
            | ItemKind::Service(_)
            | ItemKind::Monitor(_)
            | ItemKind::Policy(_)
            | ItemKind::Test(_)
            | ItemKind::Broken(_) => Ok(()),
        }
    }

    fn pipeline(
        &mut self,
        db: &dyn Db,
        key: &ItemKey,
        docs: Option<&str>,
        item: &PipelineItem,
    ) -> Result<(), BuildError> {
        let elaborated = elaborate(db, key);
        let name = item.name.text.to_string();
        let pipeline = Pipeline {
            name: name.clone(),
            docs: docs.map(str::to_owned),
            parameters: parameters(db, key),
            graph: elaborated.graph.clone(),
            outputs: elaborated.outputs.clone(),
            origins: origins(db, key, &elaborated.places),
        };
        insert(&mut self.pipelines, "pipeline", name, pipeline, &key.file)?;
        self.parts(db, key, &elaborated)
    }

    fn parts(&mut self, db: &dyn Db, key: &ItemKey, elaborated: &Elaborated) -> Result<(), BuildError> {
        let file = &key.file;
        for (name, step) in &elaborated.steps {
            insert(&mut self.steps, "step", name.clone(), step.clone(), file)?;
        }
        for (name, schema) in &elaborated.schemas {
            insert(&mut self.schemas, "schema", name.clone(), (**schema).clone(), file)?;
        }
        for (name, key) in &elaborated.models {
            if let Some(definition) = declarations::model(db, key) {
                insert(
                    &mut self.models,
                    "model",
                    name.clone(),
                    definition.model.clone(),
                    &key.file,
                )?;
                let input = (*definition.input).clone();
                insert(
                    &mut self.schemas,
                    "schema",
                    definition.model.input.clone(),
                    input,
                    &key.file,
                )?;
            }
        }
        for (name, key) in &elaborated.services {
            if let Some(definition) = declarations::service(db, key) {
                let service = definition.service.clone();
                insert(&mut self.services, "service", name.clone(), service, &key.file)?;
            }
        }
        Ok(())
    }

    fn finish(self, project: Project) -> Plan {
        Plan {
            version: PLAN_VERSION,
            project,
            pipelines: without_files(self.pipelines),
            steps: without_files(self.steps),
            models: without_files(self.models),
            services: without_files(self.services),
            schemas: without_files(self.schemas),
            targets: without_files(self.targets),
            triggers: without_files(self.triggers),
        }
    }
}

/// Several pipelines may bring in the same definition; a different one under the same name is refused.
fn insert<T: PartialEq>(
    into: &mut Named<T>,
    what: &'static str,
    name: String,
    value: T,
    file: &str,
) -> Result<(), BuildError> {
    if let Some((present, first)) = into.get(&name) {
        if *present == value {
            return Ok(());
        }
        return Err(BuildError::Ambiguous {
            what,
            name,
            first: first.clone(),
            second: file.to_owned(),
        });
    }
    into.insert(name, (value, file.to_owned()));
    Ok(())
}

fn without_files<T>(named: Named<T>) -> BTreeMap<String, T> {
    named.into_iter().map(|(name, (value, _))| (name, value)).collect()
}

/// A program without errors has only values as parameters of a pipeline.
fn parameters(db: &dyn Db, key: &ItemKey) -> Vec<Parameter> {
    let Some(signature) = declarations::signature(db, key) else {
        return Vec::new();
    };
    let value = |parameter: &crate::types::Parameter| match &parameter.kind {
        ParameterKind::Type(Type::Data(ty)) => Some(Parameter {
            name: parameter.name.clone(),
            ty: ty.clone(),
            default: parameter.default.clone(),
            docs: parameter.docs.clone(),
        }),
        ParameterKind::Type(_)
        | ParameterKind::GenericDataset { .. }
        | ParameterKind::GenericModel { .. }
        | ParameterKind::GenericMetrics { .. }
        | ParameterKind::Checks { .. }
        | ParameterKind::Column { .. }
        | ParameterKind::ModelName { .. }
        | ParameterKind::ServiceName { .. }
        | ParameterKind::List(_) => None,
    };
    signature.parameters.iter().filter_map(value).collect()
}

fn origins(db: &dyn Db, key: &ItemKey, places: &BTreeMap<String, NodeId>) -> BTreeMap<String, Origin> {
    let origin = |node: NodeId| {
        let (path, range) = locate(db, &Place::Node(key.clone(), node));
        let file = db.file(&path);
        let text = file.contents(db).text().unwrap_or_default();
        let line = line_index(db, file).characters(text, range.start as usize).line;
        Origin {
            file: path.into_string(),
            line: line.saturating_add(1),
        }
    };
    places
        .iter()
        .map(|(path, node)| (path.clone(), origin(*node)))
        .collect()
}

/// What `mlp.toml` says; a project of one file has none.
fn project(db: &dyn Db) -> Project {
    let file = manifest_file(db);
    let or = |value: Option<&String>, otherwise: &str| value.map_or(otherwise, String::as_str).to_owned();
    Project {
        name: or(file.manifest.as_ref().map(|manifest| &manifest.name), "unnamed"),
        version: or(file.manifest.as_ref().map(|manifest| &manifest.version), "0.1.0"),
    }
}
