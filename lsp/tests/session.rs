//! An editor's session, message by message, over streams in memory.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test makes projects on disk, and may stop at the first surprise"
)]

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

/// Longer than any answer takes; a missing one fails the test rather than hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The editor's side.
struct Editor {
    output: WriteHalf<DuplexStream>,
    input: BufReader<ReadHalf<DuplexStream>>,
    requests: u64,
}

impl Editor {
    /// Starts a server and says `initialize`.
    async fn start() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (server_input, server_output) = tokio::io::split(theirs);
        tokio::spawn(mlp_lsp::serve(server_input, server_output, Duration::ZERO));
        let (input, output) = tokio::io::split(ours);
        let mut editor = Self {
            output,
            input: BufReader::new(input),
            requests: 0,
        };
        let answer = editor.request("initialize", json!({ "capabilities": {} })).await;
        assert_eq!(answer["serverInfo"]["name"], "mlp");
        editor.notify("initialized", json!({})).await;
        editor
    }

    async fn send(&mut self, message: Value) {
        let text = message.to_string();
        let framed = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        self.output.write_all(framed.as_bytes()).await.unwrap();
    }

    async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await;
    }

    async fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].clone();
            }
        }
    }

    async fn receive(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.receive_message())
            .await
            .expect("an answer in time")
    }

    async fn receive_message(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.input.read_line(&mut line).await.unwrap();
            match line.trim().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().unwrap(),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The next diagnostics of a document in this version.
    async fn diagnostics(&mut self, uri: &str, version: Option<i32>) -> Vec<Value> {
        loop {
            let message = self.receive().await;
            let params = &message["params"];
            let is_wanted = message["method"] == "textDocument/publishDiagnostics" && params["uri"] == uri;
            if is_wanted && params["version"] == json!(version) {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    async fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "mlp", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }))
            .await;
    }

    async fn change(&mut self, uri: &str, version: i32, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        self.notify(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": changes }),
        )
        .await;
    }

    async fn finish(mut self) {
        assert_eq!(self.request("shutdown", Value::Null).await, Value::Null);
        self.notify("exit", Value::Null).await;
    }
}

fn range(start: (u32, u32), end: (u32, u32)) -> Value {
    json!({
        "start": { "line": start.0, "character": start.1 },
        "end": { "line": end.0, "character": end.1 },
    })
}

const ALONE: &str = "file:///nowhere/loans.mlp";

const WRONG: &str = "// 𝄞\nuse std::dta::read\n\nschema Loan {\n  amount: float\n}\n\npipeline loans() {\n  let _ = read<Loan>(\"a.csv\")\n}\n";

#[tokio::test]
async fn an_error_is_shown_and_taken_back() {
    let mut editor = Editor::start().await;
    editor.open(ALONE, WRONG).await;
    let shown = editor.diagnostics(ALONE, Some(1)).await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0]["code"], "E0103");
    assert_eq!(shown[0]["severity"], 1);
    assert_eq!(shown[0]["range"], range((1, 4), (1, 12)));

    let context = json!({ "diagnostics": [] });
    let place = range((1, 6), (1, 6));
    let actions = editor
        .request(
            "textDocument/codeAction",
            json!({ "textDocument": { "uri": ALONE }, "range": place, "context": context }),
        )
        .await;
    let edit = &actions[0]["edit"]["changes"][ALONE][0];
    assert_eq!(edit["newText"], "std::data");

    let mend = json!([{ "range": edit["range"], "text": edit["newText"] }]);
    editor.change(ALONE, 2, mend).await;
    assert_eq!(editor.diagnostics(ALONE, Some(2)).await, Vec::<Value>::new());
    editor.finish().await;
}

#[tokio::test]
async fn names_are_explained_and_followed() {
    let mut editor = Editor::start().await;
    editor.open(ALONE, &WRONG.replace("dta", "data")).await;
    let _ = editor.diagnostics(ALONE, Some(1)).await;
    let place = json!({ "textDocument": { "uri": ALONE }, "position": { "line": 8, "character": 17 } });
    let hover = editor.request("textDocument/hover", place.clone()).await;
    assert_eq!(hover["contents"]["value"], "```mlp\nschema Loan\n```\n");
    let definition = editor.request("textDocument/definition", place).await;
    assert_eq!(definition["uri"], ALONE);
    assert_eq!(definition["range"], range((3, 7), (3, 11)));
    editor.finish().await;
}

#[tokio::test]
async fn positions_outside_the_text_do_no_harm() {
    let mut editor = Editor::start().await;
    editor.open(ALONE, "schema Loan {\n  amount: float\n}\n").await;
    let _ = editor.diagnostics(ALONE, Some(1)).await;
    let far = json!({ "textDocument": { "uri": ALONE }, "position": { "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 } });
    assert_eq!(editor.request("textDocument/hover", far.clone()).await, Value::Null);
    assert_eq!(editor.request("textDocument/definition", far).await, Value::Null);
    let reversed = json!([{ "range": range((2, 0), (0, 3)), "text": "" }, { "range": range((900, 1), (901, 0)), "text": "// end\n" }]);
    editor.change(ALONE, 2, reversed).await;
    assert_eq!(editor.diagnostics(ALONE, Some(2)).await, Vec::<Value>::new());
    let unknown = json!({ "textDocument": { "uri": "untitled:1" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(editor.request("textDocument/hover", unknown).await, Value::Null);
    editor.finish().await;
}

#[tokio::test]
async fn an_edit_in_one_file_is_shown_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("mlp.toml"), "name = \"bank\"\n").unwrap();
    std::fs::write(
        root.join("loans.mlp"),
        "use bank::Loan\n\nschema Signed = Loan with { signed: bool }\n",
    )
    .unwrap();
    std::fs::write(root.join("bank.mlp"), "").unwrap();
    let uri = |name: &str| format!("file://{}/{name}", root.display());
    let (bank, loans) = (uri("bank.mlp"), uri("loans.mlp"));

    let mut editor = Editor::start().await;
    editor.open(&bank, "schema Loan {\n  amount: float\n}\n").await;
    assert_eq!(editor.diagnostics(&bank, Some(1)).await, Vec::<Value>::new());
    editor
        .change(&bank, 2, json!([{ "text": "schema Lone {\n  amount: float\n}\n" }]))
        .await;
    let shown = editor.diagnostics(&loans, None).await;
    assert_eq!(shown[0]["code"], "E0104", "{shown:?}");
    let unsaved = json!({ "textDocument": { "uri": bank } });
    editor.notify("textDocument/didClose", unsaved).await;
    let still = editor.diagnostics(&loans, None).await;
    assert_eq!(still[0]["code"], "E0104", "{still:?}");
    std::fs::write(root.join("bank.mlp"), "schema Loan {\n  amount: float\n}\n").unwrap();
    editor
        .open(&loans, "use bank::Loan\n\nschema Signed = Loan with { signed: bool }\n")
        .await;
    editor
        .notify("textDocument/didSave", json!({ "textDocument": { "uri": loans } }))
        .await;
    loop {
        if editor.diagnostics(&loans, Some(1)).await.is_empty() {
            break;
        }
    }
    editor.finish().await;
}

#[tokio::test]
async fn a_document_is_formatted() {
    let mut editor = Editor::start().await;
    editor.open(ALONE, "schema Loan {\namount:float\n}\n").await;
    let _ = editor.diagnostics(ALONE, Some(1)).await;
    let params = json!({ "textDocument": { "uri": ALONE }, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = editor.request("textDocument/formatting", params.clone()).await;
    assert_eq!(edits[0]["newText"], "schema Loan {\n  amount: float\n}\n");
    editor.change(ALONE, 2, json!([{ "text": "schema {" }])).await;
    assert_eq!(editor.request("textDocument/formatting", params).await, Value::Null);
    editor.finish().await;
}
