//! What one artifact is known to hold: its rows, what it has seen, which model it is or is about.

use std::collections::BTreeMap;

use crate::plan::{NodePath, PortType};

use super::rows::{Partition, Rows};

/// The node and port that gave a model first, whatever stages it has passed since.
pub(super) type Identity = String;

/// What an artifact or value holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The rows of a dataset or file.
    pub(super) rows: Rows,
    /// The rows that metrics were measured on, and all that was decided by those metrics.
    pub(super) measured: Rows,
    /// The rows that a model was trained on or chosen by.
    pub(super) seen: BTreeMap<Partition, Seen>,
    /// Whether it is, or was made of, data that nothing has validated.
    pub(super) raw: bool,
    /// Which model this is.
    pub(super) model: Option<Identity>,
    /// For a champion: the model that stands in for it on the first release.
    pub(super) fallback: Option<Identity>,
    /// Whose metrics these are.
    pub(super) about: About,
    /// Whether it is the model in service.
    pub(super) incumbent: Incumbent,
}

/// How a model came to know rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The node that read them.
    pub(super) read: NodePath,
    /// The node that trained or chose.
    pub(super) by: NodePath,
    /// Whether the model was only chosen by metrics on them.
    pub(super) chosen: bool,
}

/// Whose metrics an artifact holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum About {
    /// Of no model in particular, or of no one model.
    #[default]
    Nothing,
    /// A parameter of the pipeline under analysis: its callers answer for it.
    Caller,
    /// One model.
    Model(Identity),
    /// A model, by the word of the step that trained it.
    Trainer(Identity),
}

/// Whether a model is the one in service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Incumbent {
    /// Any other model.
    #[default]
    No,
    /// A parameter of the pipeline under analysis: its callers answer for it.
    Caller,
    /// What `champion(…)` gives.
    Yes,
}

impl Held {
    /// Rows that are read, whole.
    pub(super) fn whole(origin: String, read: NodePath) -> Self {
        let path = Vec::new();
        Self::of(Rows::from([(Partition { origin, path }, read)]))
    }

    /// A dataset of these rows.
    pub(super) fn of(rows: Rows) -> Self {
        Self {
            rows,
            ..Self::default()
        }
    }

    /// Something that may be either; what differs between the two is not known.
    pub(super) fn join(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.measured.extend(other.measured);
        self.raw |= other.raw;
        self.see(other.seen);
        if self.model != other.model {
            self.model = None;
        }
        if self.fallback != other.fallback {
            self.fallback = None;
        }
        if self.about != other.about {
            self.about = About::Nothing;
        }
        if self.incumbent != other.incumbent {
            let either_no = [self.incumbent, other.incumbent].contains(&Incumbent::No);
            self.incumbent = if either_no { Incumbent::No } else { Incumbent::Caller };
        }
    }

    /// Adds rows that a model has seen; training outweighs choosing.
    pub(super) fn see(&mut self, seen: BTreeMap<Partition, Seen>) {
        for (partition, seen) in seen {
            if !seen.chosen || !self.seen.contains_key(&partition) {
                self.seen.insert(partition, seen);
            }
        }
    }

    /// The part `part` of these rows when `split` divides them.
    pub(super) fn part(&self, split: &str, part: &str) -> Self {
        let narrow = |(partition, read): (&Partition, &NodePath)| {
            let mut partition = partition.clone();
            partition.path.push((split.to_owned(), part.to_owned()));
            (partition, read.clone())
        };
        Self::of(self.rows.iter().map(narrow).collect())
    }

    /// The list of what each round of a loop gave. Two rounds may divide the same data in different ways, so parts of
    /// different rounds are not disjoint; and models and metrics of different rounds are different ones.
    pub(super) fn across_rounds(self, inside: &[NodePath], list: &str) -> Self {
        let cut = |mut partition: Partition| {
            if let Some(at) = partition.path.iter().position(|(split, _)| inside.contains(split)) {
                partition.path.truncate(at);
            }
            partition
        };
        let cut_rows = |rows: Rows| {
            rows.into_iter()
                .map(|(partition, read)| (cut(partition), read))
                .collect()
        };
        let made_inside = |identity: &Identity| inside.iter().any(|node| identity.starts_with(&format!("{node}.")));
        let about = match self.about {
            About::Model(model) | About::Trainer(model) if made_inside(&model) => About::Nothing,
            about @ (About::Nothing | About::Caller | About::Model(_) | About::Trainer(_)) => about,
        };
        Self {
            rows: cut_rows(self.rows),
            measured: cut_rows(self.measured),
            seen: self
                .seen
                .into_iter()
                .map(|(partition, seen)| (cut(partition), seen))
                .collect(),
            model: self
                .model
                .map(|model| if made_inside(&model) { list.to_owned() } else { model }),
            about,
            ..self
        }
    }
}

/// What an artifact of a type can carry on from what it was made of.
pub(super) enum Carries {
    /// Rows.
    Rows,
    /// A model, with what it has seen.
    Model,
    /// Metrics of a model of this name.
    Metrics(String),
    /// At most what metrics decided, and as a text the path of rows.
    Value,
}

impl Carries {
    /// What an artifact of type `ty` can carry.
    pub(super) fn of(ty: &PortType) -> Self {
        match ty {
            PortType::Dataset { .. }
            | PortType::File
            | PortType::Directory
            | PortType::Opaque
            | PortType::Custom { .. } => Self::Rows,
            PortType::Model { .. } => Self::Model,
            PortType::Metrics { model } => Self::Metrics(model.clone()),
            PortType::List(of) => Self::of(of),
            PortType::Value(_) | PortType::Html | PortType::Markdown | PortType::Deployment { .. } => Self::Value,
        }
    }
}
