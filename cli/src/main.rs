//! The command `mlp`.

fn main() {}
