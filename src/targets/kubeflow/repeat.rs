//! `for`: the body a graph, inside one graph more, which takes what the body reads from outside: `kfp.local` would put the
//! item in place of anything else that a loop takes.

use super::Lowering;
use super::compute::computing_id;
use super::graph::Body;
use super::names;
use super::outputs::Wanted;
use super::scope::{Binds, Scope, Source, Types, define, give};
use super::task::output;
use super::values::{self, Wire};
use crate::plan::{Input, Loop, Node, Operand, PortType, Reference};
use crate::targets::pipeline_spec::{
    ArtifactItems, ArtifactIterator, IteratorPolicy, ParameterItems, ParameterIterator, Task, TaskInputs,
};
use crate::targets::{Feature, TargetError, operand_types};
use crate::types::Value;

/// What a loop runs over.
struct Items {
    /// The type of one.
    ty: PortType,
    /// A constant list, as JSON.
    raw: Option<String>,
    /// The list of the run.
    list: Option<Reference>,
}

impl<'r> Lowering<'r> {
    pub(super) fn repeat(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &'r Node,
        each: &'r Loop,
    ) -> Result<(), TargetError> {
        let items = self.items(body, scope, node, each)?;
        let item = Reference::Item(each.item.clone());
        let wire = Wire::plain(items.ty.clone());
        body.types.items.push((each.item.clone(), items.ty.clone()));
        let mut inner = Scope::new(Binds::Item(each.item.clone()));
        self.graph(body, &mut inner, &each.body.nodes)?;
        let elements = elements(&body.types, node)?;
        let wanted: Vec<Wanted<'_>> = node
            .outputs
            .iter()
            .zip(&elements)
            .zip(&each.gather)
            .map(|((port, ty), value)| Wanted {
                name: &port.name,
                ty,
                value,
            })
            .collect();
        let id = format!("{}#each", node.id);
        let given = self.give(body, &mut inner, &id, &wanted)?;
        body.types.items.pop();

        let (mut component, needs) = inner.finish();
        define(&mut component.input_definitions, &names::input(&item), &item, &wire);
        let mut around = Scope::new(Binds::Nothing);
        let (mut inputs, _) = around.hand_over(&needs, &body.types)?;
        let mut task = Task::default();
        self.iterate(body, &mut around, &items, &names::input(&item), &mut inputs, &mut task)?;
        if let Some(list) = &items.list {
            let list_wire = body.types.wire(list)?;
            define(&mut component.input_definitions, &names::input(list), list, &list_wire);
        }
        // A loop's own component gives lists, though each pass gives one of their items.
        for port in &node.outputs {
            output(&mut component, &port.name, &Wire::output(&port.ty));
        }
        given.set(&mut component);
        task.inputs = inputs;
        task.iterator_policy = each.max.map(|parallelism_limit| IteratorPolicy { parallelism_limit });
        let name = self.place_graph(body, &mut around, &id, component, task);
        let (mut wrapper, needs) = around.finish();
        for port in &node.outputs {
            output(&mut wrapper, &port.name, &Wire::output(&port.ty));
        }
        given.through(&name).set(&mut wrapper);
        self.enclose(body, scope, node, wrapper, &needs)
    }

    /// What a loop runs over; a list that the platform has not is computed before.
    fn items(
        &mut self,
        body: &mut Body<'r>,
        scope: &mut Scope,
        node: &Node,
        each: &Loop,
    ) -> Result<Items, TargetError> {
        if let Operand::Value(Value::List(values)) = &each.items {
            let json = values::constant(&Value::List(values.clone()));
            let json = json.map_err(|number| body.types.too_large(number))?;
            return Ok(Items {
                ty: PortType::Value(operand_types::type_of(values)),
                raw: Some(values::without_placeholders(&json.to_string())),
                list: None,
            });
        }
        let ty = operand_types::of_operand(&each.items, &|reference| Ok(body.types.wire(reference)?.ty))?;
        let no_list = || TargetError::Write(format!("`{}` runs over {ty:?}, which is no list", node.id));
        let item = operand_types::item(&ty).ok_or_else(no_list)?;
        if !item.is_value() && !self.host.loops_over_artifacts() {
            return Err(body.types.refused(
                Some(&node.id),
                Feature::ArtifactLoop,
                "its workflow compiler has no iterator over artifacts",
                "Loop over the values that the artifacts were made from.",
            ));
        }
        let list = if let Operand::Reference(reference) = &each.items {
            reference.clone()
        } else {
            let id = computing_id(&node.id);
            let input = Input {
                name: "items".to_owned(),
                value: each.items.clone(),
                ty,
            };
            self.compute(body, scope, id.clone(), vec![input])?;
            Reference::Output {
                node: id,
                port: "items".to_owned(),
            }
        };
        Ok(Items {
            ty: item,
            raw: None,
            list: Some(list),
        })
    }

    /// Sets what a loop's task runs over.
    fn iterate(
        &mut self,
        body: &Body<'r>,
        around: &mut Scope,
        items: &Items,
        item_input: &str,
        inputs: &mut TaskInputs,
        task: &mut Task,
    ) -> Result<(), TargetError> {
        let item_input = item_input.to_owned();
        if let Some(raw) = &items.raw {
            task.parameter_iterator = Some(ParameterIterator {
                item_input,
                items: ParameterItems::Raw(raw.clone()),
            });
            return Ok(());
        }
        let Some(list) = &items.list else {
            return Ok(());
        };
        let reached = around.reach(list, &body.types)?;
        let input = names::input(list);
        match &reached.source {
            Source::Parameter(_) => {
                task.parameter_iterator = Some(ParameterIterator {
                    item_input,
                    items: ParameterItems::InputParameter(input.clone()),
                });
            }
            Source::Artifact(_) => {
                task.artifact_iterator = Some(ArtifactIterator {
                    item_input,
                    items: ArtifactItems {
                        input_artifact: input.clone(),
                    },
                });
            }
        }
        give(inputs, &input, reached.source);
        Ok(())
    }
}

/// The types of what one pass gives.
fn elements(types: &Types, node: &Node) -> Result<Vec<PortType>, TargetError> {
    node.outputs
        .iter()
        .map(|port| {
            let element = operand_types::item(&port.ty).unwrap_or_else(|| port.ty.clone());
            if matches!(&element, PortType::Value(of) if of.optional) {
                return Err(types.refused(
                    Some(&node.id),
                    Feature::Loop,
                    format!(
                        "the items of `{}` may be absent, which a list of the platform cannot say",
                        port.name
                    ),
                    "Give each item a value with `??`.",
                ));
            }
            Ok(element)
        })
        .collect()
}
