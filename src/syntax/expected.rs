//! What the grammar expected, in the user's words: pest's rules → phrases. No rule is forgotten, for the match has no `_`.

use super::grammar::Rule;

/// What could have stood where the text could not be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expectation {
    /// A mark, as it is written.
    Mark(&'static str),
    /// A word of the language, as it is written.
    Word(&'static str),
    /// A thing, with its article.
    Thing(&'static str),
    /// Something that could go on, but need not: said only in general.
    More,
}

/// What pest's furthest failure asked for, without repetition.
pub fn expectations(rules: &[Rule]) -> Vec<Expectation> {
    let mut found: Vec<Expectation> = rules.iter().filter_map(|rule| expectation(*rule)).collect();
    found.sort_unstable();
    found.dedup();
    // What begins a value, and what may go on with a type, is said once.
    let value = found.contains(&Expectation::Thing("a value"));
    let goes_on = found.contains(&Expectation::More);
    found.retain(|expectation| match expectation {
        Expectation::Mark(mark) => !(value && matches!(*mark, "{" | "(")),
        Expectation::Word(word) => !(value && *word == "if" || goes_on && *word == "in"),
        Expectation::Thing(thing) => !(value && *thing == "a name"),
        Expectation::More => true,
    });
    found
}

#[allow(clippy::too_many_lines, reason = "one line for each rule of the grammar")]
fn expectation(rule: Rule) -> Option<Expectation> {
    use Expectation::{Mark, More, Thing, Word};
    Some(match rule {
        Rule::colon => Mark(":"),
        Rule::equals => Mark("="),
        Rule::arrow => Mark("->"),
        Rule::name | Rule::argument_name => Thing("a name"),
        Rule::let_word => Word("let"),
        Rule::if_word => Word("if"),
        Rule::else_word | Rule::else_if => Word("else"),
        Rule::for_word => Word("for"),
        Rule::in_word => Word("in"),
        Rule::finally_word => Word("finally"),
        Rule::return_word => Word("return"),
        Rule::on_word => Word("on"),
        Rule::from_word => Word("from"),
        Rule::keep_word => Word("keep"),
        Rule::run_word => Word("run"),
        Rule::expect_word => Word("expect"),
        Rule::use_word => Word("use"),
        Rule::schema_word => Word("schema"),
        Rule::record_word => Word("record"),
        Rule::enum_word => Word("enum"),
        Rule::checks_word => Word("checks"),
        Rule::features_word => Word("features"),
        Rule::model_word => Word("model"),
        Rule::artifact_word => Word("artifact"),
        Rule::step_word => Word("step"),
        Rule::service_word => Word("service"),
        Rule::pipeline_word => Word("pipeline"),
        Rule::monitor_word => Word("monitor"),
        Rule::trigger_word => Word("trigger"),
        Rule::target_word => Word("target"),
        Rule::policy_word => Word("policy"),
        Rule::test_word => Word("test"),
        Rule::use_item
        | Rule::schema_item
        | Rule::record_item
        | Rule::enum_item
        | Rule::checks_item
        | Rule::features_item
        | Rule::model_item
        | Rule::artifact_item
        | Rule::step_item
        | Rule::service_item
        | Rule::pipeline_item
        | Rule::monitor_item
        | Rule::trigger_item
        | Rule::target_item
        | Rule::policy_item
        | Rule::test_item
        | Rule::item => Thing("an item such as `schema`, `step` or `pipeline`"),
        Rule::names_end => Mark("}"),
        Rule::use_names => Thing("the names to bring in, between `{` and `}`"),
        Rule::schema_alias => Mark("="),
        Rule::schema_header
        | Rule::record_header
        | Rule::enum_header
        | Rule::checks_header
        | Rule::features_header
        | Rule::model_header
        | Rule::artifact_header
        | Rule::step_header
        | Rule::service_header
        | Rule::pipeline_header
        | Rule::monitor_header
        | Rule::trigger_header
        | Rule::target_header
        | Rule::policy_header
        | Rule::test_header => Thing("the first line of an item"),
        Rule::fields_body
        | Rule::variants_body
        | Rule::conditions_body
        | Rule::features_body
        | Rule::model_body
        | Rule::settings_body
        | Rule::monitor_body
        | Rule::policy_body
        | Rule::test_body
        | Rule::block
        | Rule::column_set => Mark("{"),
        Rule::parameters | Rule::arguments | Rule::tag_arguments | Rule::named_outputs => Mark("("),
        Rule::feature_member | Rule::derived | Rule::keep | Rule::feature_lines => {
            Thing("a feature (`name = …`) or `keep { … }`")
        }
        Rule::model_member
        | Rule::model_input
        | Rule::model_output
        | Rule::model_lines
        | Rule::setting
        | Rule::setting_lines => Thing("a setting (`name: value`)"),
        Rule::field | Rule::field_lines => Thing("a field (`name: type`)"),
        Rule::variant | Rule::variant_lines => Thing("a value of the enum"),
        Rule::parameter => Thing("a parameter (`name: type`)"),
        Rule::condition | Rule::condition_lines => Thing("a condition"),
        Rule::monitor_member | Rule::monitor_lines => Thing("a setting (`name: value`) or a condition"),
        Rule::policy_rule | Rule::policy_verb | Rule::policy_lines => Thing("`require`, `forbid` or `limit`"),
        Rule::test_line | Rule::test_run | Rule::test_expect | Rule::test_lines => Thing("`run` or `expect`"),
        Rule::test_subject => Thing("the name of a step"),
        Rule::outcome => Thing("`succeeded`, `failed`, `skipped` or `cached`"),
        Rule::statement
        | Rule::worded
        | Rule::statement_lines
        | Rule::let_statement
        | Rule::for_statement
        | Rule::finally_statement
        | Rule::return_statement => Thing("a statement"),
        Rule::generic => Thing("a generic parameter (`S: schema`)"),
        Rule::selector | Rule::tag_name => Thing("a column or a tag (`@name`)"),
        Rule::rename_pair => Thing("an old and a new name (`old: new`)"),
        Rule::type_expr
        | Rule::type_argument
        | Rule::type_base
        | Rule::enum_type
        | Rule::record_type
        | Rule::named_type
        | Rule::evidence
        | Rule::evidence_word => Thing("a type"),
        Rule::text | Rule::plain_text => Thing("a text between double quotes"),
        Rule::expression
        | Rule::value
        | Rule::tagged
        | Rule::operand
        | Rule::primary
        | Rule::word_ahead
        | Rule::word_literal
        | Rule::bracketed
        | Rule::parenthesised
        | Rule::if_expression
        | Rule::call
        | Rule::argument
        | Rule::number
        | Rule::boolean
        | Rule::none
        | Rule::string
        | Rule::raw_string
        | Rule::list
        | Rule::braces
        | Rule::record
        | Rule::head
        | Rule::head_operand
        | Rule::head_primary
        | Rule::head_call
        | Rule::bound
        | Rule::signed_number
        | Rule::negate
        | Rule::not
        | Rule::prefix
        | Rule::range_to
        | Rule::foreign_string => Thing("a value"),
        Rule::output
        | Rule::generics
        | Rule::attests
        | Rule::attests_word
        | Rule::max_word
        | Rule::maximum
        | Rule::after_word
        | Rule::after
        | Rule::since_word
        | Rule::since
        | Rule::without_word
        | Rule::without
        | Rule::pick_word
        | Rule::pick
        | Rule::with_word
        | Rule::with
        | Rule::rename_word
        | Rule::rename
        | Rule::join_word
        | Rule::join
        | Rule::matches_word
        | Rule::matches
        | Rule::length_word
        | Rule::length
        | Rule::within
        | Rule::compared
        | Rule::compared_to_number
        | Rule::compare_bound
        | Rule::refinement
        | Rule::algebra
        | Rule::optional
        | Rule::type_suffix
        | Rule::type_argument_suffix
        | Rule::type_arguments
        | Rule::call_generics
        | Rule::generics_ahead
        | Rule::tag
        | Rule::infix
        | Rule::infix_mark
        | Rule::operator_ahead
        | Rule::suffix_ahead
        | Rule::bound_infix
        | Rule::coalesce
        | Rule::or
        | Rule::and
        | Rule::compare
        | Rule::range
        | Rule::sum
        | Rule::product
        | Rule::open_end
        | Rule::postfix
        | Rule::member
        | Rule::index
        | Rule::EOI => More,
        Rule::WHITESPACE
        | Rule::COMMENT
        | Rule::letter
        | Rule::name_char
        | Rule::reserved
        | Rule::digits
        | Rule::decimal
        | Rule::exponent
        | Rule::percent
        | Rule::units
        | Rule::currency
        | Rule::string_text
        | Rule::escape
        | Rule::hole
        | Rule::separator
        | Rule::value_colon
        | Rule::equals_for_colon
        | Rule::colon_for_equals
        | Rule::semicolon
        | Rule::and_word
        | Rule::or_word
        | Rule::not_word => return None,
    })
}

/// "a, b or c".
pub fn listed(expectations: &[Expectation]) -> String {
    let phrases: Vec<String> = expectations
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::Mark(text) | Expectation::Word(text) => Some(format!("`{text}`")),
            Expectation::Thing(text) => Some((*text).to_owned()),
            Expectation::More => None,
        })
        .collect();
    match phrases.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
