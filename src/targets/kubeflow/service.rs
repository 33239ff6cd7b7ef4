//! `deploy` to a service of Vertex AI: the model is uploaded to its registry and deployed to an endpoint by Google's own
//! components; the alias moves after that, as everywhere.

use super::Lowering;
use super::google::{self, Machines};
use super::graph::Body;
use super::platform::Host;
use super::scope::Scope;
use super::task::{Draft, Runner};
use crate::plan::{Node, Port, PortType, Service, VertexTarget};
use crate::targets::pipeline_spec::{ArtifactSource, CachingOptions, Container, TaskOutputArtifact};
use crate::targets::{Feature, Refusal, RefusalPlace, TargetError};
use crate::types::Value;

/// What a service of Vertex AI says.
struct Settings<'r> {
    machine: &'r str,
    endpoint: Option<&'r str>,
    registry_model: Option<&'r str>,
    replicas: (i64, i64),
}

impl<'r> Lowering<'r> {
    /// Adds the tasks that put a model behind an endpoint of Vertex AI; nothing when the service is elsewhere.
    pub(super) fn serve_on_vertex(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        service: &str,
    ) -> Result<Option<Node>, TargetError> {
        let plan = self.plan;
        let Host::Vertex(target) = self.host else {
            return Ok(None);
        };
        let Some(service) = plan
            .services
            .get(service)
            .filter(|service| service.platform == "vertex")
        else {
            return Ok(None);
        };
        let settings = self.vertex_settings(service, body, node)?;
        let prepared = self.prepare_model(body, scope, node)?;
        let upload = google::upload_model(
            target,
            plan.models
                .get(&service.model)
                .map_or(service.model.as_str(), |model| &model.registry),
            service.docs.as_deref().unwrap_or_default(),
            settings.registry_model,
        );
        let draft = launcher_task(
            self.pinned(upload),
            &[(
                "unmanaged_container_model",
                google::UNMANAGED_MODEL,
                (&prepared, "output"),
            )],
            &[("model", google::VERTEX_MODEL)],
        );
        let uploaded = self.place(body, scope, &format!("{}.upload", node.id), draft);
        let endpoint = self.endpoint(body, scope, node, target, service, &settings);
        let machines = Machines {
            machine: settings.machine,
            fewest: settings.replicas.0,
            most: settings.replicas.1,
        };
        let rollout = google::deploy_model(target, &service.name, settings.endpoint, &machines);
        let mut inputs = vec![("model", google::VERTEX_MODEL, (uploaded.as_str(), "model"))];
        if let Some(endpoint) = &endpoint {
            inputs.push(("endpoint", google::VERTEX_ENDPOINT, (endpoint.as_str(), "endpoint")));
        }
        let draft = launcher_task(self.pinned(rollout), &inputs, &[]);
        let rollout_id = format!("{}.rollout", node.id);
        let rolled_out = self.place(body, scope, &rollout_id, draft);
        scope.made(&rollout_id, &rolled_out, None);
        let mut last = node.clone();
        last.after.push(rollout_id);
        Ok(Some(last))
    }

    /// The task that tells where the registered model's files are and which container serves them.
    fn prepare_model(&mut self, body: &mut Body<'r>, scope: &mut Scope, node: &'r Node) -> Result<String, TargetError> {
        let mut prepared = node.clone();
        prepared.id = format!("{}.serving", node.id);
        prepared.outputs = vec![Port {
            name: "output".to_owned(),
            ty: PortType::Custom {
                name: "UnmanagedContainerModel".to_owned(),
                schema_title: google::UNMANAGED_MODEL.to_owned(),
                version: "0.0.1".to_owned(),
            },
        }];
        let id = prepared.id.clone();
        self.launched(body, scope, prepared, Runner::Operation("serving"), None)?;
        let missing = || TargetError::Write(format!("the task of `{id}` was not made"));
        scope.task_of(&id).map(str::to_owned).ok_or_else(missing)
    }

    /// The task that makes an endpoint, where the service names none.
    fn endpoint(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        target: &VertexTarget,
        service: &Service,
        settings: &Settings<'_>,
    ) -> Option<String> {
        if settings.endpoint.is_some() {
            return None;
        }
        let container = google::create_endpoint(target, &service.name);
        let outputs = [("endpoint", google::VERTEX_ENDPOINT)];
        let draft = launcher_task(self.pinned(container), &[], &outputs);
        Some(self.place(body, scope, &format!("{}.endpoint", node.id), draft))
    }

    fn pinned(&self, container: Container) -> Container {
        Container {
            image: self.request.lock.image(&container.image),
            ..container
        }
    }

    fn vertex_settings(&self, service: &'r Service, body: &Body<'_>, node: &Node) -> Result<Settings<'r>, TargetError> {
        let settings = service.settings.as_ref();
        let text = |name: &str| settings?.field("platform")?.field(name)?.as_text();
        let refused = |why: &str, way_out: &str| TargetError::Refused {
            target: self.request.target.title(),
            refusal: Box::new(Refusal {
                place: RefusalPlace::Node {
                    pipeline: body.pipeline.name.clone(),
                    node: node.id.clone(),
                },
                feature: Feature::Operation,
                why: format!("the service `{}` {why}", service.name),
                way_out: way_out.to_owned(),
            }),
        };
        if text("image").is_none() {
            return Err(refused(
                "does not say which image answers requests",
                "Write `platform: vertex { image: \"…\", machine: \"n1-standard-4\" }` in the service.",
            ));
        }
        if matches!(
            settings.and_then(|settings| settings.field("rollout")),
            Some(Value::Map(_))
        ) {
            return Err(refused(
                "is rolled out in steps, and Google's component for deployments gives a new version all requests at once",
                "Leave `rollout` out of the service.",
            ));
        }
        let replica = |name: &str| settings?.field("replicas")?.field(name)?.as_int();
        Ok(Settings {
            machine: text("machine").unwrap_or("n1-standard-4"),
            endpoint: text("endpoint"),
            registry_model: text("model"),
            replicas: (replica("minimum").unwrap_or(1), replica("maximum").unwrap_or(1)),
        })
    }
}

/// A task of one of Google's launchers.
fn launcher_task(container: Container, inputs: &[(&str, &str, (&str, &str))], outputs: &[(&str, &str)]) -> Draft {
    let titles: Vec<(&str, &str)> = inputs.iter().map(|(name, title, _)| (*name, *title)).collect();
    let mut draft = Draft {
        component: google::component(&titles, outputs),
        container,
        ..Draft::default()
    };
    // What it makes is outside of the run: another run must make it again.
    draft.task.caching_options = Some(CachingOptions::default());
    for (name, _, (task, output)) in inputs {
        let source = ArtifactSource::TaskOutputArtifact(TaskOutputArtifact {
            output_artifact_key: (*output).to_owned(),
            producer_task: (*task).to_owned(),
        });
        draft.task.inputs.artifacts.insert((*name).to_owned(), source);
        draft.after.insert((*task).to_owned());
    }
    draft
}
