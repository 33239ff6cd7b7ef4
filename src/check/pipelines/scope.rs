//! Names inside a pipeline: parameters, `let` bindings, loop items. What items of the file are called is not known here.

use std::collections::BTreeMap;

use crate::plan::{NodePath, Operand};
use crate::source::Name;
use crate::syntax::ast::{Ident, NodeId};
use crate::types::Type;

use super::facts::{BindingKind, Use};

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Computed {
    /// Follows from an error that was already reported.
    Unknown,
    /// A call without outputs, by its node; it can only be waited for.
    Nothing(NodePath),
    /// A value or an artifact.
    One {
        /// Its type.
        ty: Type,
        /// Where it comes from.
        operand: Operand,
    },
    /// Several named outputs.
    Ports(Vec<(String, Computed)>),
}

impl Computed {
    /// The type, as hover shows it.
    pub(super) fn ty(&self) -> Type {
        match self {
            Self::Unknown => Type::Unknown,
            Self::Nothing(_) => Type::Unit,
            Self::One { ty, .. } => ty.clone(),
            Self::Ports(ports) => Type::Tuple(ports.iter().map(|(name, port)| (name.clone(), port.ty())).collect()),
        }
    }
}

/// A bound name.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// Where it is bound.
    pub(super) place: NodeId,
    /// What bound it.
    pub(super) kind: BindingKind,
    /// What it stands for.
    pub(super) value: Computed,
    /// Its entry in `Scopes::uses`.
    pub(super) entry: usize,
    /// The loop node that gathered it, for a `let` of a loop's body seen from outside.
    pub(super) gathered_by: Option<NodePath>,
}

/// The names in sight, innermost scope last.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    stack: Vec<BTreeMap<Name, Binding>>,
    /// Every name ever bound.
    pub(super) uses: Vec<Use>,
    /// Names of statements further down, for "used before it is bound"; innermost scope last.
    later: Vec<BTreeMap<Name, NodeId>>,
}

impl Scopes {
    /// Opens a scope whose statements bind `later`.
    pub(super) fn open(&mut self, later: BTreeMap<Name, NodeId>) {
        self.stack.push(BTreeMap::new());
        self.later.push(later);
    }

    /// Closes the innermost scope and gives back what it bound.
    pub(super) fn close(&mut self) -> BTreeMap<Name, Binding> {
        self.later.pop();
        self.stack.pop().unwrap_or_default()
    }

    /// Binds `name` in the innermost scope. The caller has looked that it is free.
    pub(super) fn bind(&mut self, name: &Ident, kind: BindingKind, value: Computed) {
        let entry = self.uses.len();
        self.uses.push(Use {
            name: name.text.clone(),
            place: name.id,
            kind,
            used: false,
        });
        let binding = Binding {
            place: name.id,
            kind,
            value,
            entry,
            gathered_by: None,
        };
        self.insert(name.text.clone(), binding);
    }

    /// Puts a binding into the innermost scope.
    pub(super) fn insert(&mut self, name: Name, binding: Binding) {
        if let Some(scope) = self.stack.last_mut() {
            scope.insert(name, binding);
        }
    }

    /// Makes what `name` stands for unknown.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(binding) = self.stack.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            binding.value = Computed::Unknown;
        }
    }

    /// What `name` stands for, without using it.
    pub(super) fn peek(&self, name: &str) -> Option<&Binding> {
        self.stack.iter().rev().find_map(|scope| scope.get(name))
    }

    /// What `name` stands for; from now on it counts as used.
    pub(super) fn look_up(&mut self, name: &str) -> Option<Binding> {
        let binding = self.peek(name)?.clone();
        if let Some(entry) = self.uses.get_mut(binding.entry) {
            entry.used = true;
        }
        Some(binding)
    }

    /// How many scopes are open.
    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// How many scopes were open where `name` was bound.
    pub(super) fn depth_of(&self, name: &str) -> Option<usize> {
        self.stack
            .iter()
            .rposition(|scope| scope.contains_key(name))
            .map(|index| index + 1)
    }

    /// Where a statement further down binds `name`.
    pub(super) fn bound_later(&self, name: &str) -> Option<NodeId> {
        self.later.iter().rev().find_map(|names| names.get(name).copied())
    }

    /// Every name in sight.
    pub(super) fn names(&self) -> Vec<Name> {
        self.stack.iter().flat_map(|scope| scope.keys().cloned()).collect()
    }
}
