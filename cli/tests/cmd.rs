//! The command line as users see it: every `tests/cmd/*.md` is a page of commands with what they print.
//!
//! A page runs in a copy of the folder `NAME.in` beside it. `TRYCMD=overwrite` rewrites what is expected; times and ids are
//! then to be replaced by `[..]`.

#[test]
fn pages() {
    trycmd::TestCases::new()
        .default_bin_name("mlp")
        .env("NO_COLOR", "1")
        .case("tests/cmd/*.md");
}
