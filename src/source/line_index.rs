//! From byte offsets to lines and columns, in UTF-8 bytes, characters or UTF-16 units.

/// A zero-based line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineColumn {
    /// Zero-based line.
    pub line: u32,
    /// Zero-based column, in the unit of the method that made it.
    pub column: u32,
}

/// The offsets at which the lines of one text begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Reads the line starts of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(breaks.map(|(offset, _)| u32::try_from(offset + 1).unwrap_or(u32::MAX)))
            .collect();
        Self { starts }
    }

    fn line_of(&self, offset: usize) -> usize {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn position(&self, text: &str, offset: usize, width: impl Fn(&str) -> usize) -> LineColumn {
        let line = self.line_of(offset);
        let start = self.starts.get(line).map_or(0, |start| *start as usize);
        let before = text.get(start..offset.min(text.len())).unwrap_or("");
        LineColumn {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(width(before)).unwrap_or(u32::MAX),
        }
    }

    /// Line and column of `offset`, the column in characters: what a person reads.
    #[must_use]
    pub fn characters(&self, text: &str, offset: usize) -> LineColumn {
        self.position(text, offset, |before| before.chars().count())
    }

    /// Line and column of `offset`, the column in UTF-16 units: what LSP speaks.
    #[must_use]
    pub fn utf16(&self, text: &str, offset: usize) -> LineColumn {
        self.position(text, offset, |before| before.encode_utf16().count())
    }

    /// The byte offset of a UTF-16 position, clamped to its line.
    #[must_use]
    pub fn offset_of_utf16(&self, text: &str, position: LineColumn) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).map(|start| *start as usize) else {
            return text.len();
        };
        let end = self.starts.get(line + 1).map_or(text.len(), |next| *next as usize);
        let mut units = 0;
        for (index, character) in text.get(start..end).unwrap_or("").char_indices() {
            if units >= position.column || character == '\n' {
                return start + index;
            }
            units += u32::try_from(character.len_utf16()).unwrap_or(2);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::{LineColumn, LineIndex};

    #[test]
    fn columns_count_in_their_unit() {
        let text = "a\nä𝄞b\n";
        let index = LineIndex::new(text);
        let offset = text.find('b').expect("b is there");
        assert_eq!(index.characters(text, offset), LineColumn { line: 1, column: 2 });
        assert_eq!(index.utf16(text, offset), LineColumn { line: 1, column: 3 });
        assert_eq!(index.offset_of_utf16(text, LineColumn { line: 1, column: 3 }), offset);
    }
}
