//! Imports: programs of other systems, read into projects of the language. No files are read or written here.

pub mod kubeflow;
