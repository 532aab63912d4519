//! The page on adding a resource as data: the files that it makes, and the lines that it adds to others.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::binary::workspace;

/// What stands before the block that is a new file: `<!-- file: PATH -->`.
const FILE: &str = "<!-- file: ";
/// What stands before the block that is a line of another file: `<!-- line: PATH, behind: LINE -->`.
const LINE: &str = "<!-- line: ";

/// A block of the page.
#[derive(Clone, Debug)]
pub struct Block {
    /// The file that it belongs into, from the workspace's folder.
    pub path: String,
    /// The line that it stands behind, where the file is there already.
    pub behind: Option<String>,
    /// Its text.
    pub text: String,
}

/// The page's own path, from the workspace's folder.
pub const PAGE: &str = "docs/adding-a-resource.md";

/// Its blocks, in order.
#[must_use]
pub fn blocks() -> Vec<Block> {
    let page = fs::read_to_string(workspace().join(PAGE)).expect("the page");
    let (mut lines, mut blocks, mut shown) = (page.lines(), Vec::new(), 0);
    while let Some(line) = lines.next() {
        shown += usize::from(line.starts_with("```"));
        let (path, behind) = match (line.strip_prefix(FILE), line.strip_prefix(LINE)) {
            (Some(mark), _) => (mark.strip_suffix(" -->"), None),
            (_, Some(mark)) => {
                let parts = mark.strip_suffix(" -->").and_then(|mark| mark.split_once(", behind: "));
                (parts.map(|parts| parts.0), parts.map(|parts| parts.1.to_owned()))
            }
            (None, None) => continue,
        };
        let path = path.unwrap_or_else(|| panic!("not a mark: {line}")).to_owned();
        let fence = lines.next().expect("a block after its mark");
        assert!(fence.starts_with("```"), "no block right after {line}");
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { path, behind, text: format!("{}\n", text.join("\n")) });
    }
    assert_eq!(shown, 0, "every block of the page says where it belongs");
    blocks
}

impl Block {
    /// Puts the block where it belongs, in a copy of the workspace. What it changes gets `time` as the time of its last
    /// change, so that following the same page twice builds nothing twice.
    pub fn put(&self, copy: &Path, time: SystemTime) {
        let path = copy.join(&self.path);
        let text = match &self.behind {
            None => {
                assert!(!path.exists(), "{} is there already", self.path);
                fs::create_dir_all(path.parent().expect("a folder")).expect("make a folder");
                self.text.clone()
            }
            Some(behind) => {
                let text = fs::read_to_string(&path).expect("a file that is there");
                let at = text.lines().position(|line| line.trim() == behind);
                let at = at.unwrap_or_else(|| panic!("{} has no line {behind}", self.path));
                let mut lines: Vec<&str> = text.lines().collect();
                lines.insert(at + 1, self.text.trim_end_matches('\n'));
                format!("{}\n", lines.join("\n"))
            }
        };
        fs::write(&path, text).expect("write a file of the copy");
        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(time))
            .expect("set its time");
    }
}
