//! The guide for developers as data: the blocks of `API_CLIENT_AUTH.md` that are marked as runnable.

use crate::binary::workspace;

/// What stands before a runnable block, on a line of its own: `<!-- run: RUNTIME NAME -->`.
const MARK: &str = "<!-- run: ";

/// A runnable block.
#[derive(Clone, Debug)]
pub struct Example {
    /// What runs it: the word that [`crate::runtimes`] knows.
    pub runtime: String,
    /// Its name, unique in the guide.
    pub name: String,
    /// The text between the fences.
    pub code: String,
}

/// The guide's text.
#[must_use]
pub fn text() -> String {
    std::fs::read_to_string(workspace().join("API_CLIENT_AUTH.md")).expect("the guide")
}

/// Its runnable blocks, in order.
#[must_use]
pub fn examples() -> Vec<Example> {
    let (text, mut examples) = (text(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(mark) = line.strip_prefix(MARK) else { continue };
        let words = mark.strip_suffix(" -->").and_then(|words| words.split_once(' '));
        let (runtime, name) = words.unwrap_or_else(|| panic!("not a runtime and a name: {line}"));
        let fence = lines.next().expect("a block after its mark");
        assert!(fence.starts_with("```"), "no block right after {line}");
        let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let code = format!("{}\n", code.join("\n"));
        examples.push(Example { runtime: runtime.to_owned(), name: name.to_owned(), code });
    }
    examples
}

/// The runnable block with this name.
#[must_use]
pub fn example(name: &str) -> Example {
    let found = examples().into_iter().find(|example| example.name == name);
    found.unwrap_or_else(|| panic!("the guide has no runnable block {name}"))
}
