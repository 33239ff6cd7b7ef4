//! Types written in a pipeline's body: the type of a `let`, the arguments of `f<S>(…)`.

use crate::check::declarations;
use crate::diagnostics::Code;
use crate::names;
use crate::syntax::ast::{ItemKind, TypeExpr, TypeKind};
use crate::types::Type;

use super::elaborator::Elaborator;
use super::generics::Bound;

impl Elaborator<'_> {
    /// The type of a `let` as written.
    pub(super) fn written_type(&mut self, written: &TypeExpr) -> Type {
        let (ty, problems) = declarations::resolve_type(self.db, self.key, written);
        self.result.diagnostics.extend(problems);
        ty
    }

    /// `f<Applicant>(…)` for `S: schema`
    pub(super) fn schema_argument(&mut self, written: &TypeExpr) -> Bound {
        let (schema, problems) = declarations::resolve_schema(self.db, self.key, written);
        self.result.diagnostics.extend(problems);
        schema.map_or(Bound::Unknown, Bound::Schema)
    }

    /// `f<CreditModel>(…)` for `M: model`
    pub(super) fn model_argument(&mut self, written: &TypeExpr) -> Bound {
        if let TypeKind::Named { name, arguments } = &written.kind
            && arguments.is_empty()
        {
            let Some(key) = names::resolve(self.db, self.key, &name.text) else {
                let is_model = |kind: &ItemKind| matches!(kind, ItemKind::Model(_));
                self.unknown_name(name, Some(("model", is_model)));
                return Bound::Unknown;
            };
            let item = names::item(self.db, &key);
            match item.as_deref().map(|item| &item.kind) {
                Some(ItemKind::Model(_)) => {
                    self.result.models.entry(name.text.to_string()).or_insert(key);
                    return Bound::Model(name.text.to_string());
                }
                Some(ItemKind::Broken(_)) | None => return Bound::Unknown,
                Some(_) => {}
            }
        }
        if written.kind == TypeKind::Error {
            self.facts.broken = true;
            return Bound::Unknown;
        }
        let text = crate::format::type_expr(written);
        let message = format!("`{text}` is not a model, but the name of one is needed here.");
        let problem = self.problem(Code::WrongKindOfName, written.id, message);
        self.report(problem.help("Write the name of a declared model."));
        Bound::Unknown
    }
}
