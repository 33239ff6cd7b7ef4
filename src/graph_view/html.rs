//! A pipeline as one HTML page that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use super::model::{Drawing, Kind};
use super::svg::{escape, svg};

const STYLE: &str = include_str!("page.css");

/// The drawing as a page.
#[must_use]
pub fn html(drawing: &Drawing) -> String {
    let name = escape(&drawing.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{name}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{name}</h1>\n"
    );
    if let Some(docs) = &drawing.docs {
        let _ = writeln!(page, "<p>{}</p>", escape(docs));
    }
    if !drawing.parameters.is_empty() {
        page.push_str("<dl>\n");
        for (name, ty, default) in &drawing.parameters {
            let default = default
                .as_ref()
                .map(|value| format!(" = {}", escape(value)))
                .unwrap_or_default();
            let _ = writeln!(page, "<dt>{}</dt><dd>{}{default}</dd>", escape(name), escape(ty));
        }
        page.push_str("</dl>\n");
    }
    page.push_str("</header>\n<main>\n");
    page.push_str(&svg(drawing));
    page.push_str("</main>\n<footer>\n<ul class=\"legend\">\n");
    for kind in Kind::ALL {
        let _ = writeln!(page, "<li class=\"{0}\">{0}</li>", kind.name());
    }
    page.push_str("</ul>\n</footer>\n</body>\n</html>\n");
    page
}
