//! The plan: the backend-neutral graph of a project, typed, versioned, serialisable.
//!
//! No error value, no source text and no position can be represented here; a plan is built only from a program without
//! errors. Everything downstream — targets, executor, `graph` — reads only this.

mod build;
mod exchange;
mod expression;
mod graph;
mod json;
mod needs;
mod operation;
mod placement;
mod settings;
mod shim;
mod target;
mod task;

pub(crate) use build::assemble;
pub use build::{BuildError, build};
pub use exchange::{exchange_json, plain_json};
pub use expression::{
    BinaryOperator, Expression, Function, MetricReference, Operand, Reference, Subject, TextPart, UnaryOperator,
};
pub use graph::{
    Branch, Call, Graph, Input, Loop, Node, NodeKind, NodePath, Origin, Output, PLAN_VERSION, Parameter, Pipeline,
    Plan, Port, PortType, Project, StepCall,
};
pub use json::{from_json, json_schema, to_json};
pub use operation::{
    Challenge, Check, CheckKind, Checks, Condition, Derived, Features, MaskMethod, Operation, Projection, SplitMethod,
    SplitPart,
};
pub use placement::{PlacedTask, Placement, Source, SourceBinding};
pub use settings::{
    ArgumentPart, Backoff, CachePolicy, Model, PythonFunction, Resources, Retries, Run, SecretReference, Service, Step,
    Task,
};
pub use shim::{container_request, needs_tables, python_packages, shim_fields, shim_request, shim_type};
pub use target::{
    AirflowTarget, AirflowVersion, DeclaredTarget, FailurePolicy, KubeflowTarget, Kubernetes, Platform, RUNTIME_IMAGE,
    Runner, Toleration, Trigger, VertexTarget, Volume, VolumeSource,
};
pub use task::{Binding, COMPUTE, Task as NodeTask};

/// The Parquet reader and writer that is added to a Python environment whose list has none: pandas cannot read datasets
/// without.
pub const PYARROW: &str = "pyarrow==26.0.1";
