//! The plan as JSON: how it is written, and the schema that describes it. Equal plans give equal bytes.

use super::Plan;

/// The plan as indented JSON that ends with a line break. Keys stand in the order of the declarations, named things in the
/// order of their names.
///
/// # Errors
/// Never for a plan made by the compiler; kept as a value because serialising is fallible.
pub fn to_json(plan: &Plan) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(plan).map(|json| json + "\n")
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// When the text is no JSON or no plan.
pub fn from_json(text: &str) -> Result<Plan, serde_json::Error> {
    serde_json::from_str(text)
}

/// The JSON Schema (draft 2020-12) of a plan, as indented JSON that ends with a line break.
///
/// # Errors
/// Never; kept as a value because serialising is fallible.
pub fn json_schema() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&schemars::schema_for!(Plan)).map(|json| json + "\n")
}
