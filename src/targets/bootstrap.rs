//! The text that a container of a Python step runs with `python3 -c`: a loader that unpacks the step shim and the part that
//! knows the platform, and hands over to it.
//!
//! What the programs do is in `runtime/src/python/`; here they are only packed.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The programs by their paths below the folder into which they are unpacked. The shim has a folder of its own, since a
/// script's folder is where its user's imports are looked for first.
const FILES: [(&str, &str); 3] = [
    ("container.py", include_str!("../../runtime/src/python/container.py")),
    ("exchange.py", include_str!("../../runtime/src/python/exchange.py")),
    ("shim/shim.py", include_str!("../../runtime/src/python/shim.py")),
];

/// The argument of `python3 -c`; `--task` and `--executor-input` follow it. It holds no `{{`, so that no platform finds a
/// placeholder in it.
///
/// # Errors
/// Never; kept as a value because packing is fallible.
pub fn python_bootstrap() -> std::io::Result<String> {
    let files: serde_json::Map<String, serde_json::Value> = FILES
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).into()))
        .collect();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(serde_json::Value::Object(files).to_string().as_bytes())?;
    let packed = STANDARD.encode(encoder.finish()?);
    Ok(LOADER.replace("PACKED", &packed))
}

const LOADER: &str = r#"import base64, json, os, sys, tempfile, zlib
with tempfile.TemporaryDirectory(prefix="mlp-") as folder:
    for path, text in json.loads(zlib.decompress(base64.b64decode("PACKED"))).items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import container
    status = container.main(sys.argv[1:], folder)
sys.exit(status)
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_is_the_same_each_time_and_holds_no_placeholder() {
        let text = python_bootstrap().unwrap();
        assert_eq!(text, python_bootstrap().unwrap());
        assert!(!text.contains("{{") && !text.contains("}}"), "{text}");
        assert!(
            text.len() < 100_000,
            "an argument may not be longer than 128 KiB: {}",
            text.len()
        );
    }
}
