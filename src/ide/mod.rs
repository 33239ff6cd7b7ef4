//! Editor features as plain data: no protocol types, no threads. Positions are byte offsets into a file.

use camino::{Utf8Path, Utf8PathBuf};

use crate::db::{Db, ItemKey};
use crate::diagnostics::{Place, locate};
use crate::names;
use crate::source::TextRange;
use crate::syntax;

/// What is shown for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The name.
    pub range: TextRange,
    /// The head of its declaration and its documentation, as Markdown.
    pub markdown: String,
}

/// What the name at `offset` stands for.
#[must_use]
pub fn hover(db: &dyn Db, path: &Utf8Path, offset: usize) -> Option<Hover> {
    let (range, key) = item_at(db, path, offset)?;
    let item = names::item(db, &key)?;
    let mut markdown = format!("```mlp\n{}\n```\n", head(db, &key)?);
    if let Some(docs) = &item.docs {
        markdown.push('\n');
        markdown.push_str(docs);
        markdown.push('\n');
    }
    Some(Hover { range, markdown })
}

/// Where the name at `offset` is declared: the file and the declared name in it.
#[must_use]
pub fn definition(db: &dyn Db, path: &Utf8Path, offset: usize) -> Option<(Utf8PathBuf, TextRange)> {
    let (_, key) = item_at(db, path, offset)?;
    let item = names::item(db, &key)?;
    let name = names::declared_name(&item.kind)?;
    Some(locate(db, &Place::Node(key.clone(), name.id)))
}

/// The name at `offset` and the item that it means.
fn item_at(db: &dyn Db, path: &Utf8Path, offset: usize) -> Option<(TextRange, ItemKey)> {
    let file = db.file(path);
    let (name, range) = syntax::name_at(file.contents(db).text()?, offset)?;
    let key = names::scope(db, file).names.get(name).cloned()?;
    Some((range, key))
}

/// The text of a declaration up to its body.
fn head(db: &dyn Db, key: &ItemKey) -> Option<String> {
    let item = names::item(db, key)?;
    let (path, range) = locate(db, &Place::Node(key.clone(), item.id));
    let text = db.file(&path).contents(db).text()?.get(range.as_usize())?;
    let head = text.split('{').next().unwrap_or_default();
    Some(head.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::db::Database;
    use crate::project::MemoryHost;

    const TEXT: &str = "use std::data::read\n\n/// One loan.\nschema Loan {\n  amount: float\n}\n\npipeline credit() {\n  let _ = read<Loan>(\"a.csv\")\n}\n";

    fn database() -> Database {
        let files = [("a.mlp".into(), TEXT.to_owned())].into();
        Database::new(Arc::new(MemoryHost { files }))
    }

    fn offset(text: &str) -> usize {
        TEXT.find(text).expect("the text has it") + 1
    }

    #[test]
    fn a_name_shows_its_declaration() {
        let database = database();
        let hover = hover(&database, Utf8Path::new("a.mlp"), offset("Loan>")).expect("a name");
        assert_eq!(hover.markdown, "```mlp\nschema Loan\n```\n\nOne loan.\n");
        assert!(super::hover(&database, Utf8Path::new("a.mlp"), offset("float")).is_none());
        assert!(super::hover(&database, Utf8Path::new("a.mlp"), 9_999).is_none());
    }

    #[test]
    fn a_name_leads_to_its_declaration() {
        let database = database();
        let (path, range) = definition(&database, Utf8Path::new("a.mlp"), offset("Loan>")).expect("a name");
        assert_eq!((path.as_str(), TEXT.get(range.as_usize())), ("a.mlp", Some("Loan")));
        let (path, _) = definition(&database, Utf8Path::new("a.mlp"), offset("read<")).expect("a name");
        assert_eq!(path, "std/data.mlp");
    }
}
