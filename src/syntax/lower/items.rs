//! Top-level items: a header makes an item with an empty body, and each entry of the body is added to it. So an item
//! that parses and one that is put together from the lines that do are made by the same code.

use pest::iterators::Pair;

use super::Lowering;
use crate::source::{Name, TextRange};
use crate::syntax::ast::{
    ArtifactItem, Block, ChecksItem, EnumItem, FeatureMember, FeaturesItem, Generic, Ident, ItemKind, ModelItem,
    MonitorItem, Output, Param, PipelineItem, PolicyItem, PolicyRule, RecordItem, SchemaBody, SchemaItem, ServiceItem,
    StepItem, TargetItem, TestItem, TestLine, Text, TriggerItem, TypeExpr, Use,
};
use crate::syntax::error::{SyntaxError, SyntaxErrorKind};
use crate::syntax::grammar::Rule;

/// An item without a name and body, in place of one that could not be read.
#[must_use]
fn empty_item() -> ItemKind {
    ItemKind::Broken(None)
}

/// The parts of a header, by what they are.
#[derive(Default)]
struct Header {
    names: Vec<Ident>,
    types: Vec<TypeExpr>,
    generics: Vec<Generic>,
    params: Vec<Param>,
    output: Option<Output>,
    attests: Option<Ident>,
    text: Option<Text>,
}

impl Lowering<'_> {
    /// A whole item as the grammar's `item` gives it.
    pub fn item(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        if pair.as_rule() == Rule::use_item {
            return self.use_item(pair);
        }
        let mut kind = empty_item();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::schema_alias => self.schema_alias(&mut kind, part),
                Rule::fields_body
                | Rule::variants_body
                | Rule::conditions_body
                | Rule::features_body
                | Rule::model_body
                | Rule::settings_body
                | Rule::monitor_body
                | Rule::policy_body
                | Rule::test_body
                | Rule::block => self.body(&mut kind, part),
                _ => kind = self.header(part),
            }
        }
        kind
    }

    fn body(&mut self, kind: &mut ItemKind, pair: Pair<'_, Rule>) {
        let range = self.range(&pair);
        self.set_body_range(kind, range);
        self.check_body(&pair);
        for entry in pair.into_inner() {
            self.entry(kind, entry);
        }
    }

    /// Gives a pipeline's body its range.
    pub fn set_body_range(&mut self, kind: &ItemKind, range: TextRange) {
        if let ItemKind::Pipeline(pipeline) = kind {
            self.set_range(pipeline.body.id, range);
        }
    }

    fn use_item(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let range = self.range(&pair);
        let (mut path, mut names) = (Vec::new(), Vec::new());
        let mut grouped = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => path.push(self.ident(&part)),
                Rule::use_names => {
                    grouped = true;
                    let inner = part.into_inner().filter(|part| part.as_rule() == Rule::name);
                    names = inner.map(|name| self.ident(&name)).collect();
                }
                _ => {}
            }
        }
        if !grouped {
            names.extend(path.pop());
        }
        if path.is_empty() || names.is_empty() {
            let shown = names.first().map_or(Name::default(), |name| name.text.clone());
            self.report(
                SyntaxError::new(
                    SyntaxErrorKind::Unexpected,
                    range,
                    "This `use` does not say which names to bring from which module.",
                )
                .with_help(format!(
                    "Write the module, `::` and the name, as in `use module::{}`.",
                    if shown.is_empty() { "Name" } else { shown.as_str() }
                )),
            );
        }
        ItemKind::Use(Use { path, names })
    }

    pub(in crate::syntax) fn schema_alias(&mut self, kind: &mut ItemKind, pair: Pair<'_, Rule>) {
        let ty = pair.into_inner().find(|part| part.as_rule() == Rule::type_expr);
        if let (ItemKind::Schema(schema), Some(ty)) = (kind, ty) {
            schema.body = SchemaBody::Alias(self.type_expr(ty));
        }
    }

    fn header_parts(&mut self, pair: Pair<'_, Rule>) -> Header {
        let mut header = Header::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => header.names.push(self.ident(&part)),
                Rule::type_expr => header.types.push(self.type_expr(part)),
                Rule::generics => header.generics = self.generics(part),
                Rule::parameters => header.params = self.parameters(part),
                Rule::output => header.output = Some(self.output(part)),
                Rule::attests => header.attests = part.into_inner().nth(1).map(|name| self.ident(&name)),
                Rule::text => header.text = Some(self.text_literal(&part)),
                _ => {}
            }
        }
        header
    }

    /// An item with this header and an empty body.
    pub fn header(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let rule = pair.as_rule();
        let range = self.range(&pair);
        let header = self.header_parts(pair);
        self.item_of(rule, header, range).unwrap_or_else(empty_item)
    }

    fn item_of(&mut self, rule: Rule, header: Header, range: TextRange) -> Option<ItemKind> {
        let mut names = header.names.into_iter();
        let mut types = header.types.into_iter();
        let settings = Vec::new();
        if rule == Rule::test_header {
            let (name, body) = (header.text?, Vec::new());
            return Some(ItemKind::Test(TestItem { name, body }));
        }
        let name = names.next()?;
        Some(match rule {
            Rule::schema_header => {
                let body = SchemaBody::Columns(Vec::new());
                ItemKind::Schema(SchemaItem { name, body })
            }
            Rule::record_header => {
                let fields = Vec::new();
                ItemKind::Record(RecordItem { name, fields })
            }
            Rule::enum_header => {
                let variants = Vec::new();
                ItemKind::Enum(EnumItem { name, variants })
            }
            Rule::checks_header => ItemKind::Checks(ChecksItem {
                name,
                on: types.next()?,
                conditions: Vec::new(),
            }),
            Rule::features_header => ItemKind::Features(FeaturesItem {
                name,
                generics: header.generics,
                from: types.next()?,
                members: Vec::new(),
            }),
            Rule::model_header => ItemKind::Model(ModelItem {
                name,
                input: None,
                output: None,
                settings,
            }),
            Rule::artifact_header => ItemKind::Artifact(ArtifactItem { name, settings }),
            Rule::step_header => ItemKind::Step(StepItem {
                name,
                generics: header.generics,
                params: header.params,
                output: header.output.unwrap_or(Output::None),
                attests: header.attests,
                settings,
            }),
            Rule::pipeline_header => ItemKind::Pipeline(PipelineItem {
                name,
                params: header.params,
                output: header.output.unwrap_or(Output::None),
                body: Block {
                    id: self.node(TextRange::empty(range.end as usize)),
                    statements: Vec::new(),
                },
            }),
            _ => two_names(rule, name, names.next()?)?,
        })
    }

    /// Adds one entry of a body to its item.
    pub fn entry(&mut self, kind: &mut ItemKind, pair: Pair<'_, Rule>) {
        let rule = pair.as_rule();
        if matches!(rule, Rule::semicolon | Rule::EOI) {
            return self.report_mistake(&pair);
        }
        match kind {
            ItemKind::Schema(SchemaItem { body, .. }) => {
                if let SchemaBody::Columns(fields) = body {
                    fields.extend(self.field(pair));
                }
            }
            ItemKind::Record(record) => record.fields.extend(self.field(pair)),
            ItemKind::Enum(item) => item.variants.extend(self.variant(pair)),
            ItemKind::Checks(checks) => checks.conditions.extend(self.condition(pair)),
            ItemKind::Features(features) => features.members.extend(self.feature_member(pair)),
            ItemKind::Model(model) => self.model_member(model, pair),
            ItemKind::Artifact(ArtifactItem { settings, .. })
            | ItemKind::Step(StepItem { settings, .. })
            | ItemKind::Service(ServiceItem { settings, .. })
            | ItemKind::Trigger(TriggerItem { settings, .. })
            | ItemKind::Target(TargetItem { settings, .. }) => settings.extend(self.setting(pair)),
            ItemKind::Pipeline(pipeline) => pipeline.body.statements.push(self.statement(pair)),
            ItemKind::Monitor(monitor) => match rule {
                Rule::setting => monitor.settings.extend(self.setting(pair)),
                _ => monitor.conditions.extend(self.condition(pair)),
            },
            ItemKind::Policy(policy) => policy.rules.extend(self.policy_rule(pair)),
            ItemKind::Test(test) => test.body.extend(self.test_line(pair)),
            ItemKind::Use(_) | ItemKind::Broken(_) => {}
        }
    }

    fn feature_member(&mut self, pair: Pair<'_, Rule>) -> Option<FeatureMember> {
        let id = self.node_of(&pair);
        if pair.as_rule() == Rule::keep {
            let columns = self.nested_selectors(pair);
            return Some(FeatureMember::Keep { id, columns });
        }
        let docs = self.docs_of(&pair);
        let (mut name, mut value, mut tags) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::expression => value = Some(self.expression(part)),
                Rule::tag => tags.extend(self.tag(part)),
                _ => self.report_mistake(&part),
            }
        }
        Some(FeatureMember::Derived {
            id,
            docs,
            name: name?,
            value: value?,
            tags,
        })
    }

    fn model_member(&mut self, model: &mut ModelItem, pair: Pair<'_, Rule>) {
        let rule = pair.as_rule();
        if rule == Rule::setting {
            return model.settings.extend(self.setting(pair));
        }
        let start = self.range(&pair);
        let mut ty = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::type_expr => ty = Some(self.type_expr(part)),
                _ => self.report_mistake(&part),
            }
        }
        let (place, word) = match rule {
            Rule::model_input => (&mut model.input, "input"),
            _ => (&mut model.output, "output"),
        };
        if place.is_some() {
            let word_range = TextRange::new(start.start as usize, start.start as usize + word.len());
            self.report(
                SyntaxError::new(
                    SyntaxErrorKind::Unexpected,
                    word_range,
                    format!("`{}` says twice what its `{word}` is.", model.name.text),
                )
                .with_help("Keep one of the two."),
            );
        } else {
            *place = ty;
        }
    }

    fn policy_rule(&mut self, pair: Pair<'_, Rule>) -> Option<PolicyRule> {
        let id = self.node_of(&pair);
        let mut parts = pair.into_inner();
        let verb = parts.next().map(|verb| self.ident(&verb))?;
        let subject = parts.next().map(|subject| self.expression(subject))?;
        Some(PolicyRule { id, verb, subject })
    }

    fn test_line(&mut self, pair: Pair<'_, Rule>) -> Option<TestLine> {
        let id = self.node_of(&pair);
        let mut parts = pair.into_inner().skip(1);
        let subject = parts.next()?;
        Some(match subject.as_rule() {
            Rule::call => TestLine::Run {
                id,
                call: self.call(subject),
            },
            Rule::test_subject => TestLine::Expect {
                id,
                subject: self.expression(subject),
                outcome: parts.next().map(|outcome| self.ident(&outcome)),
            },
            _ => TestLine::Expect {
                id,
                subject: self.expression(subject),
                outcome: None,
            },
        })
    }
}

/// Items whose header names something else beside themselves.
fn two_names(rule: Rule, name: Ident, other: Ident) -> Option<ItemKind> {
    let settings = Vec::new();
    Some(match rule {
        Rule::service_header => ItemKind::Service(ServiceItem {
            name,
            model: other,
            settings,
        }),
        Rule::monitor_header => ItemKind::Monitor(MonitorItem {
            name,
            on: other,
            settings,
            conditions: Vec::new(),
        }),
        Rule::trigger_header => ItemKind::Trigger(TriggerItem {
            name,
            pipeline: other,
            settings,
        }),
        Rule::target_header => ItemKind::Target(TargetItem {
            name,
            platform: other,
            settings,
        }),
        Rule::policy_header => ItemKind::Policy(PolicyItem {
            name,
            target: other,
            rules: Vec::new(),
        }),
        _ => return None,
    })
}
