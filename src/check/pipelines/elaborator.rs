//! The state of an elaboration: graphs under construction, names in sight, what the graph mentions.

use std::sync::Arc;

use crate::check::declarations;
use crate::db::{Db, ItemKey};
use crate::diagnostics::{Code, Diagnostic, Place};
use crate::names;
use crate::plan::{Graph, Input, Node, NodeKind, Operand, Port, PortType, Reference};
use crate::syntax::ast::{ItemKind, NodeId, Setting};
use crate::types::{ArtifactKind, ArtifactType, Schema, Type};

use super::Elaborated;
use super::facts::Facts;
use super::node_ids::NodeIds;
use super::scope::{Computed, Scopes};

/// Elaborates one pipeline.
pub(super) struct Elaborator<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) key: &'a ItemKey,
    pub(super) scopes: Scopes,
    pub(super) ids: NodeIds,
    pub(super) facts: Facts,
    pub(super) result: Elaborated,
    /// Graphs under construction: the pipeline's, then those of the arms and loops around the statement at hand.
    pub(super) graphs: Vec<Graph>,
    /// The number of scopes around the `finally` block that the statement at hand stands in.
    pub(super) finally: Option<usize>,
}

impl<'a> Elaborator<'a> {
    /// Nothing elaborated yet.
    pub(super) fn new(db: &'a dyn Db, key: &'a ItemKey) -> Self {
        Self {
            db,
            key,
            scopes: Scopes::default(),
            ids: NodeIds::default(),
            facts: Facts::default(),
            result: Elaborated::default(),
            graphs: vec![Graph::default()],
            finally: None,
        }
    }

    /// A place in this pipeline.
    pub(super) fn place(&self, node: NodeId) -> Place {
        Place::Node(self.key.clone(), node)
    }

    /// A problem of this pipeline.
    pub(super) fn problem(&self, code: Code, node: NodeId, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.place(node), message)
    }

    /// Notes a problem.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.result.diagnostics.push(diagnostic);
    }

    /// Adds a node to the graph at hand.
    pub(super) fn add(&mut self, node: Node, place: NodeId) {
        self.result.places.insert(node.id.clone(), place);
        if let Some(graph) = self.graphs.last_mut() {
            graph.nodes.push(node);
        }
    }

    /// What a node's ports give to the program.
    pub(super) fn outputs(&self, node: &str, ports: &[(String, Type)], named: bool) -> Computed {
        let one = |(name, ty): &(String, Type)| match ty {
            Type::Unknown => Computed::Unknown,
            Type::Unit | Type::Data(_) | Type::Artifact(_) | Type::Tuple(_) | Type::List(_) => Computed::One {
                ty: ty.clone(),
                operand: Operand::Reference(Reference::Output {
                    node: node.to_owned(),
                    port: name.clone(),
                }),
            },
        };
        match ports {
            [] => Computed::Nothing(node.to_owned()),
            [port] if !named => one(port),
            _ => Computed::Ports(ports.iter().map(|port| (port.0.clone(), one(port))).collect()),
        }
    }

    /// Ports of the plan; those whose type is unknown are left out, since the program has an error then.
    pub(super) fn ports(&mut self, from: &ItemKey, ports: &[(String, Type)]) -> Vec<Port> {
        let mut result = Vec::new();
        for (name, ty) in ports {
            if let Some(ty) = self.port_type(from, ty) {
                result.push(Port { name: name.clone(), ty });
            }
        }
        result
    }

    /// An input of the plan; nothing when its type or value is unknown.
    pub(super) fn input(&mut self, from: &ItemKey, name: &str, value: &Computed, accepts: &Type) -> Option<Input> {
        let Computed::One { operand, ty } = value else {
            return None;
        };
        // A wider dataset keeps its own schema, and a richer artifact is still checked for no more than is demanded.
        let accepted = match (ty, accepts) {
            (_, Type::Unknown) => ty,
            _ => accepts,
        };
        let ty = self.port_type(from, accepted)?;
        Some(Input {
            name: name.to_owned(),
            value: operand.clone(),
            ty,
        })
    }

    /// The type of a port, and a note of every schema, model and service that it names. `from` is the item in whose file
    /// the names are written.
    pub(super) fn port_type(&mut self, from: &ItemKey, ty: &Type) -> Option<PortType> {
        match ty {
            Type::Unknown | Type::Unit | Type::Tuple(_) => None,
            Type::Data(data) => Some(PortType::Value(data.clone())),
            Type::List(of) => Some(PortType::List(Box::new(self.port_type(from, of)?))),
            Type::Artifact(artifact) => self.artifact_port(from, artifact),
        }
    }

    fn artifact_port(&mut self, from: &ItemKey, artifact: &ArtifactType) -> Option<PortType> {
        let evidence = artifact.evidence;
        Some(match &artifact.kind {
            ArtifactKind::Dataset(schema) => PortType::Dataset {
                schema: self.note_schema(schema),
                evidence,
            },
            ArtifactKind::Model(model) => PortType::Model {
                model: self.note_model(from, model),
                evidence,
            },
            ArtifactKind::Metrics(model) => PortType::Metrics {
                model: self.note_model(from, model),
            },
            ArtifactKind::File => PortType::File,
            ArtifactKind::Directory => PortType::Directory,
            ArtifactKind::Html => PortType::Html,
            ArtifactKind::Markdown => PortType::Markdown,
            ArtifactKind::Opaque => PortType::Opaque,
            ArtifactKind::Custom(name) => self.custom_port(from, name),
            ArtifactKind::Deployment(service) => PortType::Deployment {
                service: service.clone(),
            },
        })
    }

    fn custom_port(&self, from: &ItemKey, name: &str) -> PortType {
        let declared = names::resolve(self.db, from, name).and_then(|key| names::item(self.db, &key));
        let text = |wanted: &str| match declared.as_deref().map(|item| &item.kind) {
            Some(ItemKind::Artifact(artifact)) => text_setting(&artifact.settings, wanted),
            _ => String::new(),
        };
        PortType::Custom {
            name: name.to_owned(),
            schema_title: text("schema_title"),
            version: text("version"),
        }
    }

    /// Notes a schema under its name; one of the same name and other columns is numbered.
    pub(super) fn note_schema(&mut self, schema: &Arc<Schema>) -> String {
        let mut name = schema.name.clone();
        let mut count = 1;
        while let Some(known) = self.result.schemas.get(&name) {
            if known.columns == schema.columns {
                return name;
            }
            count += 1;
            name = format!("{} ({count})", schema.name);
        }
        self.result.schemas.insert(name.clone(), Arc::clone(schema));
        name
    }

    /// Notes a model that a port names.
    pub(super) fn note_model(&mut self, from: &ItemKey, model: &str) -> String {
        if !self.result.models.contains_key(model)
            && let Some(key) = names::resolve(self.db, from, model)
        {
            self.result.models.insert(model.to_owned(), key);
        }
        model.to_owned()
    }

    /// The definition of a model that was noted before.
    pub(super) fn model(&self, model: &str) -> Option<Arc<declarations::ModelDefinition>> {
        let key = self.result.models.get(model)?;
        declarations::model(self.db, key)
    }

    /// A node that is a built-in operation or a call.
    pub(super) fn node(id: &str, callee: &str, kind: NodeKind, inputs: Vec<Input>, outputs: Vec<Port>) -> Node {
        Node {
            id: id.to_owned(),
            callee: callee.to_owned(),
            kind,
            inputs,
            outputs,
            after: Vec::new(),
        }
    }
}

fn text_setting(settings: &[Setting], wanted: &str) -> String {
    let setting = settings.iter().find(|setting| setting.name.text == wanted);
    match setting.map(|setting| &setting.value.kind) {
        Some(crate::syntax::ast::ExprKind::String(parts)) => match parts.as_slice() {
            [crate::syntax::ast::StringPart::Text(text)] => text.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
