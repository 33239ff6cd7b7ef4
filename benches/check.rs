//! What checking costs inside the process: a cold check of a generated project of 1,000 steps in 50 files, and a check after an
//! edit of one step's body. Run with `cargo bench -p mlp`; `benches/check.py` measures the whole process.

use std::hint::black_box;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mlp::db::Database;
use mlp::project::{Contents, MemoryHost};
use mlp::workspace;

const FILES: usize = 50;
const STEPS: usize = 20;

fn step(file: usize, step: usize, timeout: usize) -> String {
    format!(
        "step work_{step}(data: Dataset<Row{file}>, factor: float in 0..=10 = 1.5) -> Dataset<Row{file}> {{\n  \
           run: command [\"bin/work\", \"--data\", \"{{data}}\", \"--factor\", \"{{factor}}\", \"--out\", \"{{output}}\"]\n  \
           resources: {{ cpu: 1, memory: 1GiB }}\n  \
           timeout: {timeout}min\n}}\n\n"
    )
}

fn module(file: usize, timeout: usize) -> String {
    let mut text = format!(
        "use std::data::read\n\nschema Row{file} {{\n  id: string @key\n  amount: float > 0\n  kind: enum {{ a, b }}\n}}\n\n"
    );
    for number in 0..STEPS {
        text.push_str(&step(file, number, if number == 0 { timeout } else { 10 }));
    }
    text.push_str(&format!(
        "pipeline run_{file}(source: string) -> Dataset<Row{file}> {{\n  let d0 = read<Row{file}>(source)\n"
    ));
    for number in 0..STEPS {
        text.push_str(&format!(
            "  let d{} = work_{number}(d{number}, factor: 2.5)\n",
            number + 1
        ));
    }
    text.push_str(&format!("  return d{STEPS}\n}}\n"));
    text
}

fn project() -> Database {
    let mut host = MemoryHost::default();
    host.files.insert(
        Utf8PathBuf::from("mlp.toml"),
        "name = \"bench\"\nversion = \"0.1.0\"\nedition = \"2026\"\n".into(),
    );
    for file in 0..FILES {
        host.files
            .insert(Utf8PathBuf::from(format!("module_{file}.mlp")), module(file, 10));
    }
    Database::new(Arc::new(host))
}

fn check(criterion: &mut Criterion) {
    assert!(
        workspace::check(&project()).is_empty(),
        "the generated project has no problem"
    );
    criterion.bench_function("cold, 1,000 steps in 50 files", |bench| {
        bench.iter_batched(
            project,
            |database| black_box(workspace::check(&database)),
            BatchSize::LargeInput,
        );
    });
    let mut database = project();
    let mut timeout = 10;
    black_box(workspace::check(&database));
    criterion.bench_function("after an edit of one step", |bench| {
        bench.iter(|| {
            timeout = 10 + (timeout + 1) % 40;
            let text = Contents::Text(module(0, timeout));
            database.set_file(Utf8Path::new("module_0.mlp"), text);
            black_box(workspace::check(&database))
        });
    });
}

criterion_group!(benches, check);
criterion_main!(benches);
