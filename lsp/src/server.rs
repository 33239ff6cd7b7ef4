//! The protocol's messages: what comes in goes to the session, what comes out goes to the editor.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use mlp::db::Db;
use mlp::ide;
use mlp::source::TextRange;
use tower_lsp::Client;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{
    CodeActionOrCommand, CodeActionParams, CodeActionProviderCapability, CodeActionResponse,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams,
    DocumentFormattingParams, GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverContents, HoverParams,
    HoverProviderCapability, InitializeParams, InitializeResult, MarkupContent, MarkupKind, OneOf, Range,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, TextEdit,
};

use crate::convert;
use crate::session::Session;

/// The server of one editor.
pub struct LanguageServer {
    client: Client,
    session: Arc<Mutex<Session>>,
    rest: Duration,
}

impl LanguageServer {
    /// A server that checks a project when it has not changed for `rest`.
    pub fn new(client: Client, rest: Duration) -> Self {
        Self {
            client,
            session: Arc::default(),
            rest,
        }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        lock(&self.session)
    }

    /// Checks the project once its documents rest, and shows what was found. A later edit makes this one void.
    fn check_soon(&self, project: Option<Utf8PathBuf>) {
        let Some(project) = project else {
            return;
        };
        let edits = self.session().edits(&project);
        let (client, session, rest) = (self.client.clone(), Arc::clone(&self.session), self.rest);
        tokio::spawn(async move {
            tokio::time::sleep(rest).await;
            let snapshot = {
                let session = lock(&session);
                session
                    .snapshot(&project)
                    .filter(|_| session.is_current(&project, edits))
            };
            let Some(snapshot) = snapshot else {
                return;
            };
            let Ok(Some(checked)) = tokio::task::spawn_blocking(move || snapshot.check()).await else {
                return;
            };
            let publications = lock(&session).publish(checked);
            for publication in publications {
                let version = publication.version;
                client
                    .publish_diagnostics(publication.uri, publication.diagnostics, version)
                    .await;
            }
        });
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
        ..ServerCapabilities::default()
    }
}

impl tower_lsp::LanguageServer for LanguageServer {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult {
            capabilities: capabilities(),
            server_info: Some(ServerInfo {
                name: "mlp".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let project = self.session().open(&document.uri, document.text, document.version);
        self.check_soon(project);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        let project = self
            .session()
            .change(&document.uri, params.content_changes, document.version);
        self.check_soon(project);
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        let project = self.session().save(&params.text_document.uri);
        self.check_soon(project);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let project = self.session().close(&params.text_document.uri);
        self.check_soon(project);
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let place = params.text_document_position_params;
        let session = self.session();
        let found = session.at(&place.text_document.uri).and_then(|at| {
            let offset = convert::offset(at.database, &at.path, place.position);
            let hover = ide::hover(at.database, &at.path, offset)?;
            Some(Hover {
                range: Some(convert::range(at.database, &at.path, hover.range)),
                contents: HoverContents::Markup(MarkupContent {
                    kind: MarkupKind::Markdown,
                    value: hover.markdown,
                }),
            })
        });
        Ok(found)
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let place = params.text_document_position_params;
        let session = self.session();
        let found = session.at(&place.text_document.uri).and_then(|at| {
            let offset = convert::offset(at.database, &at.path, place.position);
            let (path, range) = ide::definition(at.database, &at.path, offset)?;
            convert::location(at.database, at.root, &path, range)
        });
        Ok(found.map(GotoDefinitionResponse::Scalar))
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let session = self.session();
        let edits = session.at(&params.text_document.uri).and_then(|at| {
            let text = at.database.file(&at.path).contents(at.database).text()?;
            // What does not parse is not laid out; its errors are shown already.
            let formatted = mlp::format::format(text).ok()?;
            let whole = convert::range(at.database, &at.path, TextRange::new(0, text.len()));
            (formatted != text).then(|| vec![TextEdit::new(whole, formatted)])
        });
        Ok(edits)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let session = self.session();
        let Some(at) = session.at(&params.text_document.uri) else {
            return Ok(None);
        };
        let own = at
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.primary.path == at.path);
        let actions = own.filter_map(|diagnostic| {
            let fix = diagnostic.fix.as_ref()?;
            let mends = convert::diagnostic(at.database, at.root, diagnostic);
            touches(mends.range, params.range)
                .then(|| CodeActionOrCommand::CodeAction(convert::quick_fix(at.database, at.root, fix, mends)))
        });
        Ok(Some(actions.collect()))
    }
}

fn touches(left: Range, right: Range) -> bool {
    left.start <= right.end && right.start <= left.end
}
