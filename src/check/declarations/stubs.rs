//! stub
use super::context::Context;
use super::*;
use crate::syntax::ast::*;
impl Context<'_> {
    pub(crate) fn features_item(&mut self, _item: &FeaturesItem) -> Option<FeaturesDefinition> {
        None
    }
    pub(crate) fn checks_item(&mut self, _item: &ChecksItem) -> Option<ChecksDefinition> {
        None
    }
    pub(crate) fn check_step_function(&mut self, _item: &StepItem, _f: &plan::PythonFunction, _text: NodeId) {}
    pub(crate) fn check_predict_function(&mut self, _f: &plan::PythonFunction, _text: NodeId) {}
    pub(crate) fn no_label_in_input(&mut self, _item: &ModelItem, _expr: &TypeExpr, _s: &Schema) {}
}
