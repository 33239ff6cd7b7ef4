//! stub
use super::context::Context;
use super::*;
use crate::syntax::ast::*;
impl Context<'_> {
    pub(crate) fn check_step_function(&mut self, _item: &StepItem, _f: &plan::PythonFunction, _text: NodeId) {}
    pub(crate) fn check_predict_function(&mut self, _f: &plan::PythonFunction, _text: NodeId) {}
}
